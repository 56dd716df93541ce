// One task: what was asked, what came of it, how it was checked, each attempt with its errors.

route("/workflows/:id/tasks/:task", {
  title: ({ task }) => task.label,
  tab: "workflows",
  follows: ({ id }) => id,
  watch: ({ id, task }) => [taskUri(id, task)],
  async load({ id, task: name }) {
    const [task, open] = await Promise.all([readJson(taskUri(id, name)), readJson("ledger://decisions")]);
    const [prompt, result, spec] = await Promise.all([
      task.prompt ? readText(task.prompt) : null,
      whole(task.result),
      whole(task.spec),
    ]);
    const isHere = (each) => each.workflow_id === id && each.task_id === name;
    return { id, task, prompt, result, spec, open: open.decisions.filter(isHere) };
  },
  draw: ({ id, task, prompt, result, spec, open }) => [
    pageHead(task.label, null, {
      above: link(at("workflows", id), { class: "back" }, icon("back"), "Workflow"),
      beside: [stateChip(task.status)],
    }),
    open.map((each) => decisionCard(each, { named: false })),
    card(null, taskFacts(task)),
    result ? resultSection(result) : null,
    task.attempts.length ? section("Attempts", null, h("ol", { class: "attempts" }, task.attempts.toReversed().map((attempt) => attemptItem(attempt, task)))) : null,
    prompt ? section("Prompt", null, verbatim(prompt, "Prompt")) : null,
    section("Specification", null, verbatim(spec, "Specification")),
  ],
});

/** A text that was too long to come along is read where it lies. */
const whole = (value) => (value?.uri ? readJson(value.uri) : value);

const taskFacts = (task) =>
  facts([
    ["Task", h("code", null, task.task_id)],
    ["Work item", link(at("items", task.item), null, task.item)],
    ["Attempts", task.attempts.length],
    ["Failures", task.failures || null],
    ["Reason", task.reason],
    ["Expected", duration(task.expected_minutes * 60)],
    ["Time limit", duration(task.timeout_seconds)],
  ]);

function resultSection(result) {
  const lists = { gaps: "Gaps", questions: "Questions" };
  const records = { evidence: "Evidence", proposed_actions: "Proposed actions", artifacts: "Artifacts", tests: "Tests", findings: "Findings" };
  return section(
    "Result",
    null,
    h(
      "p",
      { class: "panel-outcome" },
      result.validated === false ? chip("warn", "Taken as it came", "eye") : chip("good", "Valid", "check", "It has the form that the task asks for."),
      result.confidence ? h("span", { class: "quiet" }, `${result.confidence} confidence`) : null,
    ),
    result.summary ? h("p", { class: "lead" }, result.summary) : null,
    Object.entries(lists).map(([name, text]) => (result[name]?.length ? [h("h3", null, text), bullets(result[name])] : null)),
    Object.entries(records).map(([name, text]) => (result[name]?.length ? [h("h3", null, text), bullets(result[name].map(recordLine))] : null)),
    result.data == null ? null : [h("h3", null, "Data"), verbatim(result.data, "Data")],
  );
}

/** A record in a line, its values in the order in which they came. */
const recordLine = (record) =>
  typeof record === "object" ? Object.values(record).map(asText).join(" · ") : asText(record);

function attemptItem(attempt, task) {
  const took = tookOf(attempt);
  const isLate = took > task.expected_minutes * 60;
  return h(
    "li",
    { key: `attempt-${attempt.number}` },
    h(
      "p",
      { class: "attempt-head" },
      h("b", null, `Attempt ${attempt.number}`),
      stateChip(attempt.outcome),
      attempt.error_code ? chip("bad", plain(attempt.error_code)) : null,
      h("span", { class: "quiet" }, attempt.session_key ?? attempt.actor, " · ", age(attempt.started_at), " · ", h("span", { class: isLate ? "late" : "" }, `${duration(took)} of ${duration(task.expected_minutes * 60)}`)),
    ),
    attempt.error ? verbatim(attempt.error, `Error of attempt ${attempt.number}`) : null,
    (attempt.questions ?? []).map((question, index) =>
      h("div", { class: "asked" }, h("p", null, question), attempt.answers?.[index] ? h("p", { class: "answered" }, attempt.answers[index]) : null),
    ),
  );
}
