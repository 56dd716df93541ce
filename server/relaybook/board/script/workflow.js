// One workflow: where it stands, its plan as a graph, its attempts in time, its tasks, its result.

const TABS = { graph: "Graph", timeline: "Timeline", tasks: "Tasks", result: "Result", events: "Events" };

/** What each tab needs besides the workflow itself. */
const TAB_DATA = {
  graph: (id) => readJson(workflowUri(id, "layers")),
  timeline: (id) => readJson(workflowUri(id, "attempts")),
  tasks: async () => null,
  result: (id) => wire.call("aggregate", { workflow_id: id }),
  events: (id) => readJson(workflowUri(id, "events")),
};

const TAB_DRAWN = {
  graph: ({ id, part }) => graphPicture(id, part),
  timeline: ({ id, part }) => timelinePicture(id, part),
  tasks: ({ id, workflow }) => taskTable(id, workflow),
  result: ({ part }) => resultView(part),
  events: ({ id, part }) => eventList(id, part),
};

for (const tab of Object.keys(TABS)) {
  route(tab === "graph" ? "/workflows/:id" : `/workflows/:id/${tab}`, {
    title: ({ workflow }) => workflow.name,
    tab: "workflows",
    follows: ({ id }) => id,
    watch: ({ id }) => [workflowUri(id)],
    async load({ id }) {
      const [workflow, open, part] = await Promise.all([
        readJson(workflowUri(id)),
        readJson("ledger://decisions"),
        TAB_DATA[tab](id),
      ]);
      return { id, tab, workflow, part, open: open.decisions.filter((each) => each.workflow_id === id) };
    },
    draw: (data) => [
      workflowHead(data),
      data.open.length ? h("div", { class: "stack waiting" }, data.open.map((each) => decisionCard(each, { named: false }))) : null,
      tabs("Views of the workflow", tabEntries(data.id), data.tab),
      h("div", { class: "tab-body", key: data.tab }, TAB_DRAWN[data.tab](data)),
    ],
  });
}

const tabEntries = (id) =>
  Object.entries(TABS).map(([tab, text]) => [tab, text, tab === "graph" ? at("workflows", id) : at("workflows", id, tab)]);

function workflowHead({ id, workflow, open }) {
  const raised = alarms(workflow, open.length > 0);
  const { counts } = workflow;
  const isEnded = ENDED.has(workflow.status);
  return [
    pageHead(workflow.name, null, {
      above: link("/", { class: "back" }, icon("back"), "Workflows"),
      beside: [stateChip(workflow.status), alarmChips(raised)],
    }),
    card(
      { class: "standing" },
      h("div", { class: "standing-top" }, progressBar(counts, totalOf(counts), !isEnded), h("b", null, workflow.progress)),
      legend(counts),
      h(
        "div",
        { class: "standing-foot" },
        facts([
          ["Type", PATTERN[workflow.type] ?? sentence(workflow.type)],
          ["Project", workflow.project],
          ["Started", age(workflow.created_at)],
          ["Last change", age(workflow.updated_at)],
          [isEnded ? "Took" : "Running for", duration(workflow.elapsed_seconds)],
          ["Id", h("code", null, id)],
        ]),
        isEnded
          ? null
          : button("Cancel workflow…", () => cancelWorkflow(id, workflow.name), { class: "button button-quiet" }),
      ),
      (workflow.hooks_due ?? []).map(({ task_id: task, hooks }) =>
        h("p", { key: `hooks-${task}`, class: "alarm-line" }, h("b", null, "Hooks due: "), `${hooks.join(", ")} of ${task}`),
      ),
      (workflow.held ?? []).map(({ task_id: task, path, by, skill, breaker }) =>
        h("p", { key: `held-${task}`, class: "alarm-line" }, h("b", null, "Held: "), `${task}, for ${by ? `${by.task_id} is writing ${path}` : `the breaker of ${skill} is ${breaker}`}`),
      ),
      raised
        .filter((name) => name !== "waiting")
        .map((name) => h("p", { key: name, class: `alarm-line tone-${ALARMS[name].tone}` }, h("b", null, ALARMS[name].word, ": "), ALARMS[name].means, name === "overdue" ? ` ${workflow.overdue.join(", ")}` : "")),
    ),
  ];
}

const cancelWorkflow = (id, name) =>
  ask(`Cancel ${name}?`, "Work in progress is told to stop. What is recorded stays.", "Cancel workflow", (reason, form) =>
    act(form, "The workflow is cancelled.", () => decide(id, "cancel", { reason })),
  );

function taskTable(id, workflow) {
  const overdue = new Set(workflow.overdue ?? []);
  return [
    table(
      "Tasks",
      ["", "Task", "What", "Attempts", "Who", "Outcome"],
      workflow.tasks.map((task) => ({
        key: task.id,
        cells: [
          stateDot(task.status),
          link(at("workflows", id, "tasks", task.id), null, task.id),
          task.label,
          task.attempt || "–",
          task.session_key ?? "–",
          [overdue.has(task.id) ? chip("bad", "Overdue", "clock") : null, task.summary ?? (task.waiting_on ? `waits for ${task.waiting_on}` : "")],
        ],
      })),
    ),
    workflow.more ? h("p", { class: "note" }, `The first ${workflow.tasks.length} of ${count(totalOf(workflow.counts), "task")}, in plan order.`) : null,
  ];
}

const eventList = (id, { events, more }) => [
  h(
    "ol",
    { class: "events" },
    events.toReversed().map((event) =>
      h(
        "li",
        { key: `event-${event.seq}` },
        h("span", { class: "event-seq" }, event.seq),
        h(
          "span",
          { class: "event-what" },
          h("b", null, sentence(event.type)),
          event.task_id ? [" · ", link(at("workflows", id, "tasks", event.task_id), null, event.task_id)] : null,
          ...["error_code", "decision", "summary", "reason", "override"].filter((name) => event[name]).map((name) => ` · ${plain(event[name])}`),
        ),
        h("span", { class: "event-who" }, event.actor, " · ", age(event.at)),
      ),
    ),
  ),
  more ? h("p", { class: "note" }, `The last ${events.length} events.`) : null,
];
