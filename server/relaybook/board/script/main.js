// The page at work: the address says which view, the ledger what it shows, changes when to look again.

const board = document.getElementById("board");
const state = { tab: "", connection: "begun", badges: {}, trouble: null, refused: null, canLeave: false };
/** The view on show: its route, and what it was last given. */
let shown = { path: null, found: null, data: null };
let following = new AbortController();
/** Where the page is inside a host, whose window has no address of ours. */
let place = "/";

const path = () => (wire.kind === "http" ? location.hash.slice(1) || "/" : place);

function go(to) {
  if (wire.kind === "http") location.hash = to;
  else (place = to), show();
}

const paint = (node) => (board.firstChild ? patch(board.firstChild, node) : board.append(node));

function redraw() {
  const { found, data } = shown;
  const body = !found
    ? empty("Nothing is here", "The address leads nowhere.")
    : data
      ? found.view.draw(data)
      : state.trouble
        ? null
        : h("div", { class: "loading", role: "status" }, "Reading the ledger…");
  document.title = data ? `${found.view.title(data)} · relaybook` : "relaybook";
  paint(frame(state, h("div", { class: "view", key: shown.path }, body)));
}

/** Show what the address says, afresh. */
async function show() {
  const to = path();
  const isNew = to !== shown.path;
  if (isNew) {
    shown = { path: to, found: match(to), data: null };
    state.tab = shown.found?.view.tab ?? "";
    Object.assign(state, { trouble: null, refused: null });
    window.scrollTo(0, 0);
    follow();
  }
  await load(isNew);
}

async function load(isNew) {
  const mine = shown;
  const slow = isNew ? setTimeout(redraw, 150) : 0;
  try {
    const [data, badges] = await Promise.all([mine.found?.view.load(mine.found.params), readBadges()]);
    if (mine !== shown) return;
    Object.assign(state, { badges, trouble: null });
    mine.data = data;
  } catch (error) {
    if (mine !== shown) return;
    if (error.code === "unauthorized" && wire.kind === "http") return lock();
    state.trouble = error;
  } finally {
    clearTimeout(slow);
  }
  redraw();
  if (isNew) announce(document.title);
}

async function readBadges() {
  const [open, lessons] = await Promise.all([readJson("ledger://decisions"), readJson("ledger://lessons")]);
  return {
    decisions: open.decisions.length,
    lessons: lessons.lessons.filter((lesson) => lesson.status === "proposed").length,
  };
}

function lock() {
  following.abort();
  shown = { path: null, found: null, data: null };
  paint(loginView());
}

async function leave() {
  await wire.logout();
  lock();
}

/** Look again whenever what is shown changes, but not more often than it can be read. */
function follow() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const { view, params } = shown.found ?? {};
  if (!view) return;
  let again = false;
  let busy = false;
  const changed = async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (again && !signal.aborted) {
      again = false;
      await load(false);
      await pause(150, signal);
    }
    busy = false;
  };
  const tell = (connection) => {
    if (signal.aborted || state.connection === connection) return;
    state.connection = connection;
    if (shown.data) redraw();
  };
  const uris = [...new Set([...view.watch(params), "ledger://decisions"])];
  wire.follow({ uris, workflow: view.follows?.(params) ?? null, changed, state: tell }, signal);
}

/** Do something that a button says, say how it went, and look at what became of it. */
async function act(form, said, run) {
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach((each) => (each.disabled = true));
  state.refused = null;
  try {
    await run();
    announce(said);
  } catch (error) {
    state.refused = error;
  } finally {
    await load(false);
    buttons.forEach((each) => (each.disabled = false));
  }
}

/** A tool's call or answer in the host: show what it is about. */
function showTold({ workflow_id: id } = {}) {
  const tab = wire.context.toolInfo?.tool?.name === "aggregate" ? ["result"] : [];
  if (id) go(at("workflows", id, ...tab));
}

async function startInHost() {
  wire = new HostWire();
  wire.told.context = ({ theme: chosen, displayMode }) => {
    if (chosen) applyTheme(chosen);
    document.documentElement.dataset.mode = displayMode ?? "inline";
    if (shown.data) redraw();
  };
  wire.told.input = showTold;
  wire.told.result = (result) => showTold(result.structuredContent);
  document.addEventListener("click", (event) => {
    const href = event.target.closest?.("a[href^='#/']")?.getAttribute("href");
    if (!href) return;
    event.preventDefault();
    go(href.slice(1));
  });
  await wire.connect();
  await show();
}

async function startOnHttp() {
  wire = new HttpWire();
  applyTheme(theme());
  state.canLeave = document.querySelector("meta[name=relaybook-token]").content === "kept";
  const key = oneTimeKey();
  window.addEventListener("hashchange", show);
  await (key ? enter(key) : show());
}

window.addEventListener("resize", () => shown.data && requestAnimationFrame(redraw));
setInterval(() => shown.data && !document.hidden && redraw(), 10_000);
await (window.parent === window ? startOnHttp() : startInHost());
