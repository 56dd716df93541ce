// The health of each skill over its last runs.

const TICKET_TONE = { CRITICAL: "bad", HIGH: "bad", MEDIUM: "warn", LOW: "idle" };
const WORST = ["failing", "degraded", "unknown", "healthy"];

route("/skills", {
  title: () => "Skills",
  tab: "skills",
  watch: () => ["ledger://health"],
  load: () => readJson("ledger://health"),
  draw({ skills }) {
    const found = Object.entries(skills).sort(([, a], [, b]) => WORST.indexOf(a.state) - WORST.indexOf(b.state));
    return [
      pageHead("Skills", "How the last runs of each skill went, oldest first."),
      found.length
        ? h("div", { class: "grid" }, found.map(([name, health]) => skillCard(name, health)))
        : empty("No skill has run yet", "Stages name the skill that does them; each run counts here."),
    ];
  },
});

const skillCard = (name, health) =>
  card(
    { class: "skill", key: name },
    h("div", { class: "skill-head" }, h("h2", null, name), stateChip(health.state)),
    h(
      "div",
      { class: "skill-figures" },
      figure("Pass rate", health.pass_rate == null ? "–" : percent(health.pass_rate)),
      figure("Median", health.median_minutes == null ? "–" : duration(health.median_minutes * 60)),
      figure("90th percentile", health.p90_minutes == null ? "–" : duration(health.p90_minutes * 60)),
    ),
    outcomeStrip(health.recent),
    health.minutes.length > 1 ? durationLine(health.minutes) : null,
    health.breaker === "closed" ? null : h("p", { class: "alarm-line" }, h("b", null, "Breaker ", plain(health.breaker), ". "), health.retry_at ? `A try from ${new Date(health.retry_at).toLocaleTimeString()} on.` : ""),
    health.drift == null ? null : h("p", { class: "alarm-line" }, h("b", null, "Drift. "), `Its pass rate fell by ${percent(health.drift)}.`),
    health.ticket ? h("p", { class: `ticket tone-${TICKET_TONE[health.ticket.priority]}` }, h("b", null, `${health.ticket.priority}: `), `${health.ticket.cause}. ${sentence(health.ticket.fix)}.`) : null,
  );

const figure = (name, value) => h("div", { class: "figure" }, h("b", null, value), h("span", null, name));

function outcomeStrip(recent) {
  const failed = recent.filter((ended) => ended !== "passed").length;
  return h(
    "div",
    { class: "strip", role: "img", "aria-label": `Of the last ${recent.length} runs ${failed} failed` },
    recent.map((ended) => h("span", { class: ended === "passed" ? "tone-good" : "tone-bad", title: plain(ended) })),
  );
}

/** How long the last passes took. */
function durationLine(minutes) {
  const most = Math.max(...minutes, 0.01);
  const x = (index) => 4 + (index * 232) / (minutes.length - 1);
  const y = (value) => 40 - (value / most) * 34;
  const points = minutes.map((value, index) => `${x(index)},${y(value)}`).join(" ");
  return h(
    "div",
    { class: "trend" },
    s(
      "svg",
      { viewBox: "0 0 240 44", role: "img", "aria-label": `Minutes of the last passes: ${minutes.join(", ")}` },
      s("line", { class: "trend-base", x1: 4, x2: 236, y1: 40, y2: 40 }),
      s("polyline", { points }),
      s("circle", { cx: x(minutes.length - 1), cy: y(minutes.at(-1)), r: 3 }),
    ),
    h("span", { class: "quiet" }, `last ${duration(minutes.at(-1) * 60)}`),
  );
}
