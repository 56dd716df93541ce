// The digest of a workflow: what came of it, a panel's votes and a risk matrix as pictures.

/** The scale of verdicts, worst first, and the tone of each. */
const VERDICTS = { strong_reject: "bad", reject: "bad", neutral: "idle", approve: "good", strong_approve: "good" };
const PANEL_TONE = { consensus: "good", majority: "good", split: "warn", blocked: "bad", insufficient: "warn" };
const COLOUR_TONE = { green: "good", yellow: "warn", red: "bad", grey: "gone" };

function resultView(digest) {
  return [
    h("p", { class: "lead" }, digest.summary),
    digest.panel ? panelPicture(digest.panel, digest.dissent ?? []) : null,
    digest.risk ? riskPicture(digest.risk) : null,
    digest.choice ? choicePicture(digest.choice) : null,
    digest.conflicts?.length ? section("Contradictions", null, bullets(digest.conflicts.map(conflictLine))) : null,
    digest.gaps?.length ? section("Gaps", null, bullets(digest.gaps.map(lineOf))) : null,
    digest.parent_actions?.length ? section("Left for you to do", null, bullets(digest.parent_actions.map(lineOf))) : null,
    digest.tasks?.length ? section("Results", null, digest.tasks.map((task) => resultLine(digest.workflow_id, task))) : null,
    digest.merged ? section("Merged data", null, verbatim(digest.merged, "Merged data")) : null,
    digest.cursor ? h("p", { class: "note" }, "The first page of the digest. aggregate(cursor) goes on from here.") : null,
  ];
}

/** An entry of a digest in a line: its task, and what it says. */
function lineOf(entry) {
  if (typeof entry === "string") return entry;
  const { task_id: task, gap, reason, action, target, why, text, ...rest } = entry;
  const said = [action, target, gap, text, reason, why].filter(Boolean).map(asText).join(" · ");
  return [task, said || JSON.stringify(rest)].filter(Boolean).join(": ");
}

/** A field with each value that somebody gave it. */
function conflictLine(conflict) {
  if (!conflict.values) return lineOf(conflict);
  const said = conflict.values.map(({ value, sources }) => `${asText(value)} (${sources.join(", ")})`);
  return `${conflict.field}: ${said.join(" / ")}`;
}

const resultLine = (id, task) =>
  h(
    "div",
    { class: "result-line", key: task.task_id },
    h("p", null, link(at("workflows", id, "tasks", task.task_id), null, task.label ?? task.task_id), task.confidence ? h("span", { class: "quiet" }, ` · ${task.confidence} confidence`) : null),
    task.summary ? h("p", { class: "quiet" }, task.summary) : null,
  );

function panelPicture(panel, dissent) {
  const votes = Object.entries(panel.votes);
  return section(
    "Panel",
    { class: "panel" },
    h(
      "p",
      { class: "panel-outcome" },
      chip(PANEL_TONE[panel.outcome] ?? "idle", sentence(panel.outcome)),
      panel.side ? h("span", null, sentence(panel.side)) : null,
      h("span", { class: "quiet" }, `${panel.quorum.cast} of ${panel.quorum.cast + panel.missing.length} voted, ${panel.quorum.needed} needed`),
    ),
    h(
      "div",
      { class: "votes", role: "img", "aria-label": votes.map(([who, vote]) => `${who}: ${plain(vote)}`).join("; ") || "no votes" },
      Object.entries(VERDICTS).map(([verdict, tone]) =>
        h(
          "div",
          { class: "vote-column" },
          h("div", { class: "vote-stack" }, votes.filter(([, vote]) => vote === verdict).map(([who]) => h("span", { class: `vote tone-${tone}` }, who))),
          h("span", { class: "vote-name" }, sentence(verdict)),
        ),
      ),
    ),
    h(
      "div",
      { class: "gauges" },
      gauge("Pairwise agreement", panel.agreement),
      gauge("Consensus (Tastle–Wierman)", panel.tastle_wierman),
      gauge("Krippendorff’s alpha", panel.alpha),
    ),
    panel.criteria?.length ? h("div", { class: "criteria" }, panel.criteria.map(criterionBar)) : null,
    panel.missing.length ? h("p", { class: "note" }, `Without a vote: ${panel.missing.join(", ")}.`) : null,
    dissent.length ? [h("h3", null, "Dissent"), bullets(dissent.map(({ expert, reason, verdict, blockers }) => [expert ?? "", plain(verdict), reason, ...(blockers ?? [])].filter(Boolean).join(" · ")))] : null,
    panel.independence ? h("p", { class: "note" }, panel.independence) : null,
  );
}

/** A figure between 0 and 1, or why there is none. */
const gauge = (name, { value, band, reason }) =>
  h(
    "div",
    { class: "gauge" },
    h("span", { class: "gauge-name" }, name),
    h("span", { class: "gauge-value" }, value == null ? "–" : value.toFixed(2)),
    h("span", { class: "gauge-track" }, value == null ? null : h("span", { vars: { "--share": Math.max(0, Math.min(1, value)) } })),
    h("span", { class: "quiet" }, value == null ? reason : (band ?? "")),
  );

const criterionBar = ({ criterion, mean }) =>
  h(
    "div",
    { class: "criterion" },
    h("span", null, sentence(criterion)),
    h("span", { class: "gauge-track" }, h("span", { vars: { "--share": (mean - 1) / 4 } })),
    h("b", null, `${mean.toFixed(1)} of 5`),
  );

const riskPicture = (risk) =>
  section(
    "Risk",
    { class: "risk" },
    h("p", { class: "panel-outcome" }, chip(COLOUR_TONE[risk.overall], `Overall ${risk.overall}`), risk.missing.length ? h("span", { class: "quiet" }, `No answer: ${risk.missing.join(", ")}`) : null),
    h(
      "ul",
      { class: "matrix" },
      risk.domains.map(({ domain, colour, why }) =>
        h(
          "li",
          { key: domain, class: `cell tone-${COLOUR_TONE[colour] ?? "gone"}` },
          h("span", { class: "cell-head" }, h("b", null, sentence(domain)), h("span", { class: "cell-colour" }, sentence(colour))),
          h("span", null, why || "No reason was given."),
        ),
      ),
    ),
    risk.conflicts.length ? [h("h3", null, "Where domains disagree"), bullets(risk.conflicts.map(conflictLine))] : null,
  );

const choicePicture = (choice) => section("Choice", null, verbatim(choice, "Choice"));
