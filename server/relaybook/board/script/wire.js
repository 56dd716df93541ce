// What both ways to the server share: the protocol's words, and how an answer is read.

const PROTOCOL = "2026-07-28";
const ME = {
  name: "relaybook-board",
  version: document.querySelector("meta[name=relaybook-version]").content,
};
/** How long one call waits for a change, in seconds, and how often a list is looked at again. */
const WAIT_SECONDS = 25;
const LOOK_SECONDS = 5;

/** Something that did not work, with what can be done about it. */
class Trouble extends Error {
  constructor(message, { code = "error", next = "" } = {}) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

/** What a tool answered; a refusal is thrown. */
function answerOf(result) {
  if (!result.isError) return result.structuredContent ?? {};
  const error = result.structuredContent?.error;
  const text = result.content?.find((block) => block.type === "text")?.text;
  throw new Trouble(error?.message ?? text ?? "The tool did not say what went wrong.", {
    code: error?.code,
    next: error?.next,
  });
}

const pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/**
 * Follow by asking: one workflow by calls that wait for its next change, a list by looking again.
 * It ends when `signal` says so.
 */
async function followByAsking(wire, { workflow, changed, state }, signal) {
  let since = null;
  while (!signal.aborted) {
    try {
      if (workflow) since = await waitFor(wire, workflow, since, changed, signal);
      else {
        await pause(LOOK_SECONDS * 1000, signal);
        if (!signal.aborted && !document.hidden) changed();
      }
      state("asking");
    } catch (error) {
      if (signal.aborted) return;
      state("offline");
      await pause(LOOK_SECONDS * 1000, signal);
    }
  }
}

/** The number of the last event, once it is another than `since` or the wait is over. */
async function waitFor(wire, workflow, since, changed, signal) {
  const wanted = { workflow_id: workflow };
  if (since !== null) Object.assign(wanted, { since, wait_seconds: WAIT_SECONDS });
  const { seq } = await wire.call("get_workflow", wanted, signal);
  if (since !== null && seq !== since && !signal.aborted) changed();
  return seq;
}
