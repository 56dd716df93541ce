// All workflows: state, progress, age, alarms; and what waits for the user.

const DECISIONS_SHOWN = 3;
const FILTERS = { all: "All", active: "Active", alarm: "Alarms", ended: "Ended" };
const looking = { filter: "all", words: "" };

route("/", {
  title: () => "Workflows",
  tab: "workflows",
  watch: () => ["ledger://workflows"],
  async load() {
    const [list, open] = await Promise.all([readJson("ledger://workflows"), readJson("ledger://decisions")]);
    return { ...list, decisions: open.decisions };
  },
  draw({ workflows, more, decisions }) {
    const waiting = new Set(decisions.map((open) => open.workflow_id));
    const rows = workflows.map((workflow) => ({ workflow, raised: alarms(workflow, waiting.has(workflow.workflow_id)) }));
    return [
      pageHead("Workflows", summaryOf(rows)),
      decisions.length ? waitingFor(decisions) : null,
      workflows.length ? finder(rows) : null,
      workflows.length
        ? workflowList(rows.filter(isLookedFor))
        : empty("No workflow yet", "When an agent calls create_workflow, it appears here by itself."),
      more ? h("p", { class: "note" }, `The ${workflows.length} that changed last are shown.`) : null,
    ];
  },
});

function summaryOf(rows) {
  if (!rows.length) return "";
  const active = rows.filter(({ workflow }) => !ENDED.has(workflow.status));
  const tasks = active.reduce((sum, { workflow }) => sum + (workflow.counts.in_progress ?? 0), 0);
  const alarmed = rows.filter(({ raised }) => raised.length).length;
  return [
    `${active.length} active`,
    `${count(tasks, "task")} in progress`,
    alarmed ? `${alarmed} with an alarm` : "no alarms",
  ].join(" · ");
}

const waitingFor = (decisions) =>
  h(
    "section",
    { class: "stack waiting", "aria-label": "Waiting for you" },
    decisions.slice(0, DECISIONS_SHOWN).map((open) => decisionCard(open)),
    decisions.length > DECISIONS_SHOWN
      ? link("/decisions", { class: "more" }, `All ${decisions.length} decisions`)
      : null,
  );

const finder = (rows) =>
  h(
    "div",
    { class: "finder" },
    h(
      "div",
      { class: "segments", role: "group", "aria-label": "Which workflows" },
      Object.entries(FILTERS).map(([name, text]) =>
        h(
          "button",
          {
            key: name,
            type: "button",
            "aria-pressed": String(looking.filter === name),
            on: { click: () => ((looking.filter = name), redraw()) },
          },
          text,
          h("span", { class: "number" }, rows.filter((row) => isOfFilter(row, name)).length),
        ),
      ),
    ),
    h("input", {
      type: "search",
      "aria-label": "Find a workflow",
      placeholder: "Find by name, project or type",
      on: { input: (event) => ((looking.words = event.target.value.toLowerCase()), redraw()) },
    }),
  );

function isOfFilter({ workflow, raised }, filter) {
  if (filter === "active") return !ENDED.has(workflow.status);
  if (filter === "ended") return ENDED.has(workflow.status);
  return filter === "all" || raised.length > 0;
}

function isLookedFor(row) {
  const { name, workflow_id, project = "", type } = row.workflow;
  const text = [name, workflow_id, project, PATTERN[type] ?? type].join(" ").toLowerCase();
  return isOfFilter(row, looking.filter) && text.includes(looking.words);
}

const workflowList = (rows) =>
  rows.length
    ? h("ul", { class: "list" }, rows.map(workflowRow))
    : empty("None of these", "Another filter shows more.");

function workflowRow({ workflow, raised }) {
  const { workflow_id: id, counts } = workflow;
  return h(
    "li",
    { key: id },
    link(
      at("workflows", id),
      { class: `row ${raised.length ? "row-alarmed" : ""}` },
      h(
        "div",
        { class: "row-head" },
        stateDot(workflow.status),
        h("span", { class: "row-name" }, workflow.name),
        h("span", { class: "row-alarms" }, alarmChips(raised)),
      ),
      h(
        "div",
        { class: "row-progress" },
        progressBar(counts, totalOf(counts), !ENDED.has(workflow.status)),
        h("span", { class: "row-count" }, workflow.progress),
      ),
      h(
        "div",
        { class: "row-facts" },
        h("span", null, PATTERN[workflow.type] ?? sentence(workflow.type)),
        workflow.project ? h("span", null, workflow.project) : null,
        h("span", null, ENDED.has(workflow.status) ? `took ${duration(workflow.elapsed_seconds)}` : `for ${duration(workflow.elapsed_seconds)}`),
        h("span", null, "changed ", age(workflow.updated_at)),
      ),
    ),
  );
}
