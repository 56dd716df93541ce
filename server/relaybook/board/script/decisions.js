// What waits for the user, each question with the buttons that decide it.

/** A label, whether a reason is needed, and whether the choice is the one to suggest. */
const CHOICES = {
  retry_failed: { text: "Retry what failed", main: true },
  accept_partial: { text: "Accept what there is" },
  adjust: { text: "Change the plan" },
  applicable: { text: "It holds", main: true },
  not_applicable: { text: "It does not hold" },
  answer: { text: "Send answers", main: true },
  waive: { text: "Let it pass", reason: "Why may it pass?" },
  confirm: { text: "It is done", reason: "What was done, or why not?" },
};

const decisionKey = (open) => [open.workflow_id, open.task_id ?? "", ...open.decisions].join("/");

/** One open question as a form; `named` says whether its workflow is. */
function decisionCard(open, { named = true } = {}) {
  const key = decisionKey(open);
  return entry(
    { class: "card decision", key, "aria-label": "Decision" },
    h(
      "p",
      { class: "decision-where" },
      icon("bell"),
      named ? link(at("workflows", open.workflow_id), null, open.workflow) : h("span", null, "Waiting for you"),
      open.task_id ? [" · ", link(at("workflows", open.workflow_id, "tasks", open.task_id), null, open.task_id)] : null,
    ),
    open.question ? h("p", { class: "decision-question" }, open.question) : null,
    (open.questions ?? []).map((question, index) => field(key, `answers`, question, index)),
    open.decisions.some((name) => CHOICES[name]?.reason)
      ? field(key, "reason", CHOICES[open.decisions[0]].reason, 0)
      : null,
    h("div", { class: "actions" }, open.decisions.map((name) => choiceButton(name, open))),
  );
}

function field(key, name, text, index) {
  const id = `${key}/${name}/${index}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, text),
    h("input", { id, name, required: true, autocomplete: "off", maxlength: name === "reason" ? 1000 : 4000 }),
  );
}

function choiceButton(name, open) {
  const { text, main } = CHOICES[name] ?? { text: sentence(name) };
  const props = { key: name, class: `button ${main ? "button-main" : ""}` };
  return sender(text, (form) => sendDecision(form, open, name, text), props);
}

function sendDecision(form, open, decision, text) {
  const said = new FormData(form);
  const more = { task_id: open.task_id ?? "", reason: said.get("reason") ?? "" };
  if (open.questions) more.answers = said.getAll("answers");
  return act(form, `${text}: recorded.`, () => decide(open.workflow_id, decision, more));
}

route("/decisions", {
  title: () => "Decisions",
  tab: "decisions",
  watch: () => ["ledger://decisions"],
  load: () => readJson("ledger://decisions"),
  draw: ({ decisions }) => [
    pageHead("Decisions", "What waits for you, in every workflow."),
    decisions.length
      ? h("div", { class: "stack" }, decisions.map((open) => decisionCard(open)))
      : empty("Nothing waits for you", "Questions of workers, failed gates and open breakers appear here."),
  ],
});
