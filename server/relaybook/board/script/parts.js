// The small parts that views are made of.

const chip = (tone, text, name, title) =>
  h("span", { class: `chip tone-${tone}`, title }, name ? icon(name) : null, h("span", null, text));

const stateChip = (status) => {
  const { word, tone, icon: name } = known(status);
  return chip(tone, word, name);
};

/** The state as an icon with its word for those who do not see it. */
const stateDot = (status) => {
  const { word, tone, icon: name } = known(status);
  return h("span", { class: `dot tone-${tone}`, title: word }, icon(name), h("span", { class: "only-read" }, word));
};

const link = (path, props, ...children) => h("a", { href: `#${path}`, ...props }, ...children);

const card = (props, ...children) => h("section", { ...props, class: `card ${props?.class ?? ""}` }, ...children);

const section = (title, props, ...children) =>
  card(props, h("h2", { class: "card-title" }, title), ...children);

const empty = (title, text) =>
  h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text ? h("p", null, text) : null);

const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => value != null && value !== "")
      .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );

const button = (text, run, props) => h("button", { type: "button", class: "button", ...props, on: { click: run } }, text);

/**
 * A form that is never submitted, which frames of hosts forbid: its buttons are made by `sender`,
 * and Enter in a field presses the first.
 */
const entry = (props, ...children) =>
  h("form", { ...props, on: { keydown: pressFirst, submit: (event) => event.preventDefault() } }, ...children);

function pressFirst(event) {
  if (event.key !== "Enter" || event.target.nodeName !== "INPUT") return;
  event.preventDefault();
  event.target.form.querySelector("button").click();
}

/** A button that runs with its form, once the form is filled in. */
const sender = (text, run, props) =>
  button(
    text,
    (event) => {
      const form = event.target.closest("form");
      if (form.reportValidity()) run(form);
    },
    props,
  );

const bullets = (texts) => h("ul", { class: "bullets" }, texts.map((text) => h("li", null, asText(text))));

/** Any value as text: a text as it is, the rest as indented JSON. */
const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** Text of a worker, word for word. It may scroll, so it can be focused. */
const verbatim = (value, name) =>
  h("pre", { class: "verbatim", tabindex: "0", role: "region", "aria-label": name }, asText(value));

/** A row of links of which one is the page shown. */
const tabs = (name, entries, chosen) =>
  h(
    "nav",
    { class: "tabs", "aria-label": name },
    entries.map(([key, text, path]) => link(path, { key, "aria-current": key === chosen ? "page" : null }, text)),
  );

const table = (name, heads, rows) =>
  h(
    "div",
    { class: "table-wrap", tabindex: "0", role: "region", "aria-label": name },
    h(
      "table",
      null,
      h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", null, rows.map(({ key, cells }) => h("tr", { key }, cells.map((cell) => h("td", null, cell))))),
    ),
  );
