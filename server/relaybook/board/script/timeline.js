// The attempts in time: a row for each task, a bar for each attempt, its expected length behind it.

const LINE = { height: 38, bar: 12 };
/** How wide the picture is, what stands left and right of the bars, and how many letters fit there. */
const WIDE = { most: 1036, around: 100, left: 176, right: 100, name: 22, who: 28 };
const NARROW = { most: 620, around: 36, left: 112, right: 82, name: 14, who: 17 };
const NARROW_BELOW = 720;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800];

function timelinePicture(id, { attempts, total }) {
  if (!attempts.length) return empty("Nothing has started yet", "Each start of a task appears here as a bar.");
  const rows = byTask(attempts);
  const span = spanOf(attempts);
  const room = board.clientWidth < NARROW_BELOW ? NARROW : WIDE;
  const width = Math.min(room.most, board.clientWidth - room.around);
  const height = rows.length * LINE.height + 28;
  const x = (time) => room.left + ((time - span.from) / span.length) * (width - room.left - room.right);
  return h(
    "div",
    null,
    timelineKey(attempts),
    h(
      "div",
      { class: "timeline", tabindex: "0", role: "region", "aria-label": "Timeline of attempts" },
      s(
        "svg",
        { role: "group", width, height, viewBox: `0 0 ${width} ${height}` },
        ticks(span, room === NARROW ? 2 : 6).map((time) => tick(time, span, x(time), height)),
        rows.map((row, index) => timelineRow(id, row, { y: index * LINE.height + 24, x, width, span, room })),
      ),
    ),
    total > attempts.length ? h("p", { class: "note" }, `The last ${attempts.length} of ${count(total, "attempt")}.`) : null,
    attemptTable(id, attempts),
  );
}

const timelineKey = (attempts) =>
  h(
    "ul",
    { class: "legend" },
    [...new Set(attempts.map((attempt) => attempt.outcome))].map((status) =>
      h("li", { key: status }, h("span", { class: `swatch tone-${known(status).tone}` }), known(status).word.toLowerCase()),
    ),
    h("li", null, h("span", { class: "swatch swatch-expected" }), "time expected"),
  );

function byTask(attempts) {
  const rows = new Map();
  for (const attempt of attempts) {
    if (!rows.has(attempt.task_id)) rows.set(attempt.task_id, []);
    rows.get(attempt.task_id).push(attempt);
  }
  return [...rows.values()];
}

const endOf = (attempt) => (attempt.ended_at ? seconds(attempt.ended_at) : Math.max(now(), seconds(attempt.started_at)));
const tookOf = (attempt) => endOf(attempt) - seconds(attempt.started_at);

/** From the first start to the last end; what was expected shows only as far as that. */
function spanOf(attempts) {
  const from = Math.min(...attempts.map((attempt) => seconds(attempt.started_at)));
  const to = Math.max(...attempts.map(endOf));
  return { from, to, length: Math.max(to - from, 1) };
}

function ticks({ from, length }, most) {
  const step = STEPS.find((each) => length / each <= most) ?? length / 4;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => from + index * step);
}

const tick = (time, span, x, height) =>
  s(
    "g",
    { class: "tick", "aria-hidden": "true" },
    s("line", { x1: x, x2: x, y1: 18, y2: height }),
    s("text", { x, y: 11 }, time === span.from ? clockTime(time) : `+${duration(time - span.from)}`),
  );

const clockTime = (time) => new Date(time * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function timelineRow(id, attempts, { y, x, width, span, room }) {
  const last = attempts.at(-1);
  const { word, tone } = known(last.outcome);
  const took = attempts.reduce((sum, attempt) => sum + tookOf(attempt), 0);
  const expected = last.expected_minutes * 60;
  const [name, who, time] = [cut(last.task_id, room.name), cut(last.who, room.who), duration(took)];
  const retries = attempts.length - 1;
  const note = retries ? count(retries, "retry", "retries") : `of ${duration(expected)}`;
  const said = `${last.task_id}, ${word}: ${count(attempts.length, "attempt")}, ${time} of ${duration(expected)} expected, by ${last.who}`;
  return s(
    "a",
    { key: last.task_id, class: "lane", href: `#${at("workflows", id, "tasks", last.task_id)}` },
    s("title", null, said),
    s("rect", { class: "lane-ground", x: 0, y, width, height: LINE.height, rx: 6 }),
    s("text", { class: "node-id", x: 8, y: y + 17 }, name),
    s("text", { class: "node-label", x: 8, y: y + 31 }, who),
    attempts.map((attempt) => attemptBar(attempt, y, x, span)),
    s("text", { class: `lane-took tone-${took > expected ? "bad" : tone}`, x: width - 8, y: y + 17 }, time),
    s("text", { class: "lane-note", x: width - 8, y: y + 31 }, note),
  );
}

function attemptBar(attempt, y, x, span) {
  const start = seconds(attempt.started_at);
  const expected = Math.min(start + attempt.expected_minutes * 60, span.to);
  const left = x(start);
  const top = y + (LINE.height - LINE.bar) / 2;
  const bar = (time) => ({ x: left, width: Math.max(x(time) - left, 3), rx: 4 });
  return s(
    "g",
    { key: `${attempt.attempt}`, class: `tone-${known(attempt.outcome).tone} attempt-${attempt.outcome}` },
    s("rect", { class: "expected", y: top - 3, height: LINE.bar + 6, ...bar(expected) }),
    s("rect", { class: "attempt", y: top, height: LINE.bar, ...bar(endOf(attempt)) }),
  );
}

const attemptTable = (id, attempts) =>
  h(
    "details",
    { class: "as-table" },
    h("summary", null, "As a table"),
    table(
      "Attempts",
      ["Task", "Attempt", "Who", "Started", "Took", "Expected", "Outcome"],
      attempts.toReversed().map((attempt) => ({
        key: `${attempt.task_id}/${attempt.attempt}`,
        cells: [
          link(at("workflows", id, "tasks", attempt.task_id), null, attempt.task_id),
          attempt.attempt,
          attempt.who,
          age(attempt.started_at),
          duration(tookOf(attempt)),
          duration(attempt.expected_minutes * 60),
          [stateChip(attempt.outcome), attempt.error_code ? ` ${plain(attempt.error_code)}` : ""],
        ],
      })),
    ),
  );
