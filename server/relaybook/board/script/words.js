// Words for states, times and amounts. `tone` names the colours of a state.

const STATUS = {
  pending: { word: "Pending", tone: "idle", icon: "dashed" },
  in_progress: { word: "In progress", tone: "busy", icon: "half" },
  input_required: { word: "Asking", tone: "asks", icon: "question" },
  review: { word: "In review", tone: "warn", icon: "eye" },
  completed: { word: "Completed", tone: "good", icon: "check" },
  failed: { word: "Failed", tone: "bad", icon: "cross" },
  cancelled: { word: "Cancelled", tone: "gone", icon: "slash" },
  not_applicable: { word: "Not applicable", tone: "gone", icon: "skip" },
  partial: { word: "Partial", tone: "warn", icon: "half" },
  // Outcomes of attempts.
  expired: { word: "Lost", tone: "bad", icon: "clock" },
  released: { word: "Given back", tone: "gone", icon: "skip" },
  asked: { word: "Asked", tone: "asks", icon: "question" },
  // Work items.
  todo: { word: "To do", tone: "idle", icon: "dashed" },
  blocked: { word: "Blocked", tone: "idle", icon: "slash" },
  done: { word: "Done", tone: "good", icon: "check" },
  // Tests.
  passed: { word: "Passed", tone: "good", icon: "check" },
  skipped: { word: "Skipped", tone: "gone", icon: "skip" },
  // Skills, lessons.
  healthy: { word: "Healthy", tone: "good", icon: "check" },
  degraded: { word: "Degraded", tone: "warn", icon: "eye" },
  failing: { word: "Failing", tone: "bad", icon: "cross" },
  unknown: { word: "Too few runs", tone: "idle", icon: "dashed" },
  proposed: { word: "Proposed", tone: "asks", icon: "question" },
  accepted: { word: "Accepted", tone: "good", icon: "check" },
  rejected: { word: "Rejected", tone: "gone", icon: "slash" },
};

/** Best first, as a bar of progress shows them. */
const BAR = ["completed", "not_applicable", "in_progress", "review", "input_required", "failed", "cancelled", "pending"];

const PATTERN = {
  fan_out: "Fan-out",
  pipeline: "Pipeline",
  supervisor: "Supervisor",
  expert_panel: "Expert panel",
  map_reduce: "Map-reduce",
};

const ALARMS = {
  waiting: { word: "Waiting for you", tone: "asks", means: "A decision of yours is open." },
  breaker_open: { word: "Breaker open", tone: "bad", means: "Too many tasks failed; nothing starts until you decide." },
  overdue: { word: "Overdue", tone: "bad", means: "A task is past its time limit or its lease." },
  stalled: { word: "Stalled", tone: "warn", means: "Nothing started or ended for twice the time expected." },
  blocked: { word: "Blocked", tone: "warn", means: "Nothing can start as things stand." },
  replan: { word: "Replan", tone: "warn", means: "Several reviews in a row saw no progress." },
};

const known = (status) => STATUS[status] ?? { word: plain(status), tone: "idle", icon: "dashed" };

/** "schema_violation" as "schema violation". */
const plain = (name) => String(name ?? "").replaceAll("_", " ");

const sentence = (name) => plain(name).replace(/^./, (first) => first.toUpperCase());

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined(whole, 60, "min", 1, "s", 600);
  if (whole < 86400) return joined(whole, 3600, "h", 60, "min", 36000);
  return joined(whole, 86400, "d", 3600, "h", 864000);
}

/** The larger unit, with the smaller one beside it up to `exact` seconds. */
function joined(whole, unit, name, lesser, lesserName, exact) {
  const large = Math.floor(whole / unit);
  const small = Math.floor((whole % unit) / lesser);
  return whole < exact && small ? `${large} ${name} ${small} ${lesserName}` : `${large} ${name}`;
}

const seconds = (text) => Date.parse(text) / 1000;
const now = () => Date.now() / 1000;
const ago = (text) => {
  const passed = now() - seconds(text);
  return passed < 5 ? "just now" : `${duration(passed)} ago`;
};

/** An age that keeps its exact time at hand. */
const age = (text) =>
  h("time", { datetime: text, title: new Date(text).toLocaleString() }, ago(text));

const percent = (share) => `${Math.round(100 * share)} %`;
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
