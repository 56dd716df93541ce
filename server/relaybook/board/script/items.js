// Work items: the ledger as a board of things to do, and one of them with its evidence.

const choosing = { status: "" };

route("/items", {
  title: () => "Work items",
  tab: "items",
  watch: () => ["ledger://items"],
  load: () => readJson("ledger://items"),
  draw({ items, counts }) {
    const shown = items.filter((item) => !choosing.status || item.status === choosing.status);
    return [
      pageHead("Work items", Object.entries(counts).map(([status, number]) => `${number} ${known(status).word.toLowerCase()}`).join(" · ")),
      items.length
        ? [statusFilter(items), h("ul", { class: "list" }, shown.map(itemRow))]
        : empty("No work item yet", "Every task and stage is a work item."),
      items.length && Object.values(counts).reduce((sum, number) => sum + number, 0) > items.length
        ? h("p", { class: "note" }, `The newest ${items.length} are shown.`)
        : null,
    ];
  },
});

const statusFilter = (items) =>
  h(
    "div",
    { class: "segments", role: "group", "aria-label": "Which items" },
    ["", ...new Set(items.map((item) => item.status))].map((status) =>
      h(
        "button",
        {
          key: status || "all",
          type: "button",
          "aria-pressed": String(choosing.status === status),
          on: { click: () => ((choosing.status = status), redraw()) },
        },
        status ? known(status).word : "All",
      ),
    ),
  );

const itemRow = (item) =>
  h(
    "li",
    { key: item.slug },
    link(
      at("items", item.slug),
      { class: "row" },
      h("div", { class: "row-head" }, stateDot(item.status), h("span", { class: "row-name" }, item.goal)),
      h("div", { class: "row-facts" }, h("span", null, h("code", null, item.slug)), item.skill ? h("span", null, item.skill) : null, item.project !== "default" ? h("span", null, item.project) : null),
    ),
  );

route("/items/:slug", {
  title: (item) => item.goal,
  tab: "items",
  watch: ({ slug }) => [itemUri(slug)],
  load: ({ slug }) => readJson(itemUri(slug)),
  draw: (item) => [
    pageHead(item.goal, null, { above: link("/items", { class: "back" }, icon("back"), "Work items"), beside: [stateChip(item.status)] }),
    card(
      null,
      facts([
        ["Item", h("code", null, item.slug)],
        ["Task", link(at("workflows", item.workflow_id, "tasks", item.task_id), null, item.task_id)],
        ["Skill", item.skill],
        ["Capability", item.capability],
        ["Attempts", item.attempt],
        ["Failures", item.failures],
        ["Changed", age(item.updated_at)],
        ["Waits for", itemLinks(item.blockers)],
        ["Waited for by", itemLinks(item.dependents)],
        ["Hooks due", item.hooks_due?.join(", ")],
        ["Hooks settled", item.hooks_settled?.join(", ")],
      ]),
      item.result ? h("p", { class: "lead" }, item.result) : null,
      item.error ? verbatim(item.error, "Error") : null,
    ),
    recordTable("Tests", item.tests, ["name", "status", "evidence"]),
    recordTable("Artifacts", item.artifacts, ["path", "hash"]),
    recordTable("Criteria", item.criteria, ["criterion", "evidence"]),
    item.metrics ? section("Metrics", null, facts(Object.entries(item.metrics).map(([name, value]) => [name, value]))) : null,
    item.findings?.length ? section("Findings", null, bullets(item.findings.map((finding) => finding.text ?? finding))) : null,
    item.followups?.length ? section("Follow-ups", null, bullets(item.followups.map((each) => each.text ?? each))) : null,
    item.handoffs?.length ? section("Handoffs", null, bullets(item.handoffs.map(recordLine))) : null,
    item.success_criteria?.length ? section("Done when", null, bullets(item.success_criteria)) : null,
    item.constraints?.length ? section("Constraints", null, bullets(item.constraints)) : null,
  ],
});

const itemLinks = (slugs) =>
  slugs?.length ? slugs.map((slug, index) => [index ? ", " : "", link(at("items", slug), null, slug)]) : null;

/** Records as a table of those columns that any of them has. */
function recordTable(name, records, columns) {
  if (!records?.length) return null;
  const shown = columns.filter((column) => records.some((record) => record[column] != null && record[column] !== ""));
  return section(
    name,
    null,
    table(
      name,
      shown.map(sentence),
      records.map((record, index) => ({
        key: `record-${index}`,
        cells: shown.map((column) => (column === "status" ? stateChip(record.status) : asText(record[column] ?? "–"))),
      })),
    ),
  );
}
