// How far a workflow is: a bar of its states, its alarms, its age.

/** Each state's share as a stretch of one bar; the same is said in words. */
function progressBar(counts, total, isLive = false) {
  const shown = BAR.filter((status) => counts[status]);
  const said = shown.map((status) => `${counts[status]} ${known(status).word.toLowerCase()}`).join(", ");
  return h(
    "div",
    { class: isLive ? "bar bar-live" : "bar", role: "img", "aria-label": said || "no tasks" },
    shown.map((status) =>
      h("span", {
        key: status,
        class: `tone-${known(status).tone} bar-${status}`,
        vars: { "--share": counts[status] / Math.max(total, 1) },
      }),
    ),
  );
}

const ENDED = new Set(["completed", "failed", "cancelled", "partial"]);
const totalOf = (counts) => BAR.reduce((sum, status) => sum + (counts[status] ?? 0), 0);

/** A legend of the bar: every state with its number. */
const legend = (counts) =>
  h(
    "ul",
    { class: "legend" },
    BAR.filter((status) => counts[status]).map((status) =>
      h("li", { key: status }, stateDot(status), h("b", null, counts[status].toLocaleString("en")), known(status).word.toLowerCase()),
    ),
  );

/** The alarms of a workflow; `waiting` says whether a decision of the user's is open. */
function alarms(workflow, waiting) {
  const isEnded = ENDED.has(workflow.status);
  const raised = Object.keys(ALARMS).filter((name) => {
    if (name === "waiting") return waiting;
    return !isEnded && (name === "overdue" ? workflow.overdue?.length : workflow[name]);
  });
  // What waits for the user is blocked by that alone.
  return raised.filter((name) => !(name === "blocked" && raised.includes("waiting")));
}

const alarmChips = (names) =>
  names.map((name) => chip(ALARMS[name].tone, ALARMS[name].word, name === "waiting" ? "bell" : "clock", ALARMS[name].means));
