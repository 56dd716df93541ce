// The server through an MCP Apps host: JSON-RPC by postMessage with the window that holds the page.

const APPS_PROTOCOL = "2026-01-26";
const SUPPORTED_MODES = ["inline", "fullscreen"];

/** Which of the host's colours and fonts stand in for the page's own. */
const HOST_STYLES = {
  "--color-background-primary": "--surface",
  "--color-background-secondary": "--ground",
  "--color-text-primary": "--ink",
  "--color-border-primary": "--line-strong",
  "--font-sans": "--sans",
  "--font-mono": "--mono",
};

class HostWire {
  kind = "app";
  context = {};
  /** Told what the host says by itself: a tool's input and result, a change of its context. */
  told = { input() {}, result() {}, context() {} };
  #id = 0;
  #waiting = new Map();
  #capabilities = {};

  async connect() {
    window.addEventListener("message", (event) => {
      if (event.source === window.parent && event.data?.jsonrpc === "2.0") this.#receive(event.data);
    });
    const begun = await this.#ask("ui/initialize", {
      protocolVersion: APPS_PROTOCOL,
      appInfo: ME,
      appCapabilities: { availableDisplayModes: SUPPORTED_MODES },
    });
    this.#capabilities = begun.hostCapabilities ?? {};
    this.#learn(begun.hostContext ?? {});
    this.#tell("ui/notifications/initialized", {});
    new ResizeObserver(() => this.#tellSize()).observe(document.getElementById("board"));
  }

  async call(name, args, signal) {
    const asked = this.#ask("tools/call", { name, arguments: args });
    const given = new Promise((_, fail) => {
      signal?.addEventListener("abort", () => fail(new Trouble("Stopped waiting.")), { once: true });
    });
    return answerOf(await Promise.race([asked, given]));
  }

  /** By the host where it reads resources for us, else by the tool that reads them, page by page. */
  async read(uri) {
    if (this.#capabilities.serverResources) {
      return (await this.#ask("resources/read", { uri })).contents[0].text;
    }
    let text = "";
    let cursor = "";
    do {
      const page = await this.call("read", { uri, cursor });
      text += page.text;
      cursor = page.cursor;
    } while (cursor);
    return text;
  }

  follow(wanted, signal) {
    return followByAsking(this, wanted, signal);
  }

  get canExpand() {
    const modes = this.context.availableDisplayModes ?? [];
    return modes.includes("fullscreen") && this.context.displayMode !== "fullscreen";
  }

  async expand() {
    const { mode } = await this.#ask("ui/request-display-mode", { mode: "fullscreen" });
    this.#learn({ displayMode: mode });
  }

  #receive(message) {
    if (message.method && message.id !== undefined) return this.#answer(message);
    if (message.method) return this.#hear(message);
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.error) waiting.fail(new Trouble(message.error.message, { code: message.error.code }));
    else waiting.done(message.result);
  }

  /** The host asks: to be pinged, or to let the page go. */
  #answer({ id, method }) {
    const isKnown = ["ping", "ui/resource-teardown"].includes(method);
    const error = { code: -32601, message: `The board has no method ${method}.` };
    this.#send(isKnown ? { id, result: {} } : { id, error });
  }

  #hear({ method, params }) {
    if (method === "ui/notifications/tool-input") this.told.input(params.arguments ?? {});
    if (method === "ui/notifications/tool-result") this.told.result(params);
    if (method === "ui/notifications/host-context-changed") this.#learn(params);
  }

  #learn(context) {
    this.context = { ...this.context, ...context };
    for (const [theirs, ours] of Object.entries(HOST_STYLES)) {
      const value = context.styles?.variables?.[theirs];
      if (value) document.documentElement.style.setProperty(ours, value);
    }
    this.told.context(this.context);
  }

  #tellSize() {
    const { width, height } = document.getElementById("board").getBoundingClientRect();
    this.#tell("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
  }

  #ask(method, params) {
    const id = ++this.#id;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.#send({ id, method, params });
    });
  }

  #tell(method, params) {
    this.#send({ method, params });
  }

  #send(message) {
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}
