// What stands around every view: name, navigation, state of the connection, theme; and dialogs.

const NAVIGATION = [
  ["workflows", "Workflows", "/"],
  ["decisions", "Decisions", "/decisions"],
  ["items", "Items", "/items"],
  ["skills", "Skills", "/skills"],
  ["lessons", "Lessons", "/lessons"],
];
const CONNECTION = { live: "Live", asking: "Live", offline: "Offline", begun: "Connecting" };
const THEMES = { auto: "System theme", light: "Light theme", dark: "Dark theme" };
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

const wordmark = () =>
  h("span", { class: "wordmark" }, s("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, s("path", { d: "M3 4.5h9a3 3 0 0 1 3 3v8H6a3 3 0 0 1-3-3z" }), s("path", { d: "M6.5 8.5h5M6.5 11.5h3.5" })), "relaybook");

function frame(state, body) {
  return h(
    "div",
    { class: "frame" },
    h("a", { class: "skip", href: "#content", on: { click: skipToContent } }, "Skip to content"),
    h(
      "header",
      { class: "top" },
      link("/", { class: "home", "aria-label": "relaybook, all workflows" }, wordmark()),
      h(
        "nav",
        { class: "nav", "aria-label": "Board" },
        NAVIGATION.map(([key, text, path]) =>
          link(path, { key, "aria-current": state.tab === key ? "page" : null }, text, badge(state.badges[key])),
        ),
      ),
      h(
        "div",
        { class: "tools" },
        h("span", { class: `connection connection-${state.connection}`, role: "status" }, h("span", { class: "pulse", "aria-hidden": "true" }), CONNECTION[state.connection]),
        wire.kind === "app" && wire.canExpand ? iconButton("expand", "Full screen", () => wire.expand()) : null,
        wire.kind === "http" ? iconButton(THEME_ICONS[theme()], THEMES[theme()], nextTheme) : null,
        wire.kind === "http" && state.canLeave ? iconButton("leave", "Log out", leave) : null,
      ),
    ),
    h("main", { id: "content", class: "content", tabindex: "-1" }, state.refused ? banner(state.refused, "Dismiss", dismiss) : null, state.trouble ? banner(state.trouble, "Try again", show) : null, body),
  );
}

const badge = (number) =>
  number ? h("span", { class: "badge" }, number > 99 ? "99+" : number, h("span", { class: "only-read" }, " open")) : null;

const iconButton = (name, text, run) =>
  h("button", { key: name, type: "button", class: "icon-button", "aria-label": text, title: text, on: { click: run } }, icon(name));

const pageHead = (title, text, { above = null, beside = null } = {}) =>
  h(
    "div",
    { class: "page-head" },
    above,
    h("div", { class: "page-title" }, h("h1", null, title), beside ? h("div", { class: "chips" }, beside) : null),
    text ? h("p", { class: "quiet" }, text) : null,
  );

const banner = (trouble, text, run) =>
  h(
    "div",
    { class: "trouble banner", role: "alert", key: text },
    h("p", null, h("b", null, trouble.message), trouble.next ? ` Next: ${trouble.next}.` : ""),
    button(text, () => run()),
  );

function dismiss() {
  state.refused = null;
  redraw();
}

function skipToContent(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

const kept = (name, value) => {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null; // a sandboxed page keeps nothing
  }
};

const theme = () => (kept("relaybook-theme") in THEMES ? kept("relaybook-theme") : "auto");

function applyTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(theme()) + 1) % names.length];
  kept("relaybook-theme", next);
  applyTheme(next);
  announce(THEMES[next]);
  redraw();
}

/** Ask before something that cannot be undone; `then` gets the reason and the form. */
function ask(title, text, yes, then) {
  const close = () => dialog.remove();
  const confirm = async (form) => {
    await then(new FormData(form).get("reason"), form);
    close();
  };
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    entry(
      {},
      h("h2", { id: "dialog-title" }, title),
      h("p", null, text),
      h("div", { class: "field" }, h("label", { for: "dialog-reason" }, "Reason"), h("input", { id: "dialog-reason", name: "reason", autocomplete: "off", maxlength: 1000 })),
      h("div", { class: "actions" }, sender(yes, confirm, { class: "button button-bad" }), button("Keep it", close)),
    ),
  );
  dialog.addEventListener("close", close);
  document.body.append(dialog);
  dialog.showModal();
}
