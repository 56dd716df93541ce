// The server by HTTP: its MCP endpoint, one POST a request, and a stream of notifications.

const beside = (path) => new URL(path, location.href);

/** Says that a request is the page's own: no other site can send it without being asked first. */
const OWN = { "Content-Type": "application/json", "X-Relaybook-Board": "1" };

class HttpWire {
  kind = "http";
  #id = 0;

  async call(name, args, signal) {
    return answerOf(await this.#ask("tools/call", name, { name, arguments: args }, signal));
  }

  async read(uri) {
    const { contents } = await this.#ask("resources/read", uri, { uri });
    return contents[0].text;
  }

  async login(token) {
    const sent = JSON.stringify({ token });
    const reply = await fetch(beside("board/login"), { method: "POST", headers: OWN, body: sent });
    if (!reply.ok) throw await troubleOf(reply);
  }

  async logout() {
    await fetch(beside("board/logout"), { method: "POST", headers: OWN, body: "{}" });
  }

  /** Follow by the stream of notifications; while there is none, by asking. */
  async follow(wanted, signal) {
    while (!signal.aborted) {
      const asking = new AbortController();
      const stop = () => asking.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await this.#listen(wanted, signal);
        wanted.changed(); // what came between two streams
      } catch (error) {
        if (signal.aborted) return;
        if (error.code === "unauthorized") return wanted.changed();
      }
      const asked = followByAsking(this, wanted, asking.signal);
      await pause(LOOK_SECONDS * 1000, signal);
      stop();
      await asked;
      signal.removeEventListener("abort", stop);
    }
  }

  async #listen(wanted, signal) {
    const params = { notifications: { resourceSubscriptions: wanted.uris } };
    const reply = await this.#post("subscriptions/listen", "", params, signal);
    for await (const message of messagesOf(reply)) {
      if (message.error) throw new Trouble(message.error.message);
      if (message.method === "notifications/subscriptions/acknowledged") wanted.state("live");
      if (message.method === "notifications/resources/updated") wanted.changed();
    }
  }

  async #ask(method, name, params, signal) {
    const reply = await this.#post(method, name, params, signal);
    for await (const message of messagesOf(reply)) {
      if (message.error) throw new Trouble(message.error.message, { code: message.error.code });
      if (message.result) return message.result;
    }
    throw new Trouble("The server ended the connection without an answer.", { code: "offline" });
  }

  async #post(method, name, params, signal) {
    const headers = {
      ...OWN,
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": PROTOCOL,
      "Mcp-Method": method,
      ...(name && { "Mcp-Name": name }),
    };
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": PROTOCOL,
      "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": ME,
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params: { ...params, _meta } });
    const reply = await fetch(beside("board/mcp"), { method: "POST", headers, body, signal }).catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new Trouble("The server cannot be reached.", { code: "offline", next: "It is tried again." });
    });
    if (!reply.ok && !isMessage(reply)) throw await troubleOf(reply);
    return reply;
  }
}

const typeOf = (reply) => reply.headers.get("content-type") ?? "";

/** A fault of the protocol comes with a status of its own, and says itself what is wrong. */
const isMessage = (reply) => ![401, 403].includes(reply.status) && typeOf(reply).includes("json");

async function troubleOf(reply) {
  if (reply.status === 401) return new Trouble("Log in to see the board.", { code: "unauthorized" });
  const said = (await reply.json().catch(() => ({}))).error ?? {};
  const text = said.message ?? `The server answered ${reply.status}.`;
  return new Trouble(text, { code: said.code ?? reply.status, next: said.next });
}

/** The messages of a reply: one of JSON, or those of an event stream as they come. */
async function* messagesOf(reply) {
  if (!typeOf(reply).includes("event-stream")) {
    yield await reply.json();
    return;
  }
  let begun = "";
  const decoder = new TextDecoder();
  const reader = reply.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (begun + decoder.decode(part.value, { stream: true })).split(/\r?\n\r?\n/);
    begun = events.pop();
    for (const event of events) {
      const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      const data = lines.map((line) => line.slice(5).trimStart()).join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}
