// What was proposed to remember: the user accepts or rejects it.

route("/lessons", {
  title: () => "Lessons",
  tab: "lessons",
  watch: () => ["ledger://lessons"],
  load: () => readJson("ledger://lessons"),
  draw({ lessons }) {
    const open = lessons.filter((lesson) => lesson.status === "proposed");
    const over = lessons.filter((lesson) => lesson.status !== "proposed");
    return [
      pageHead("Lessons", "What work has taught, proposed for the next. Accepted lessons are given to later prompts."),
      lessons.length ? null : empty("No lesson yet", "The reflection after a stage proposes them."),
      h("div", { class: "stack" }, open.map(lessonCard)),
      over.length ? [h("h2", { class: "group-title" }, "Decided"), h("div", { class: "stack" }, over.map(lessonCard))] : null,
    ];
  },
});

function lessonCard(lesson) {
  const [workflow, ...task] = lesson.source.split("/");
  const isOpen = lesson.status === "proposed";
  const send = (decision, said) => (form) =>
    act(form, said, () => decide(workflow, decision, { lesson: lesson.id }));
  return entry(
    { class: "card lesson", key: lesson.id, "aria-label": "Lesson" },
    h("p", { class: "lesson-text" }, lesson.text),
    h(
      "p",
      { class: "row-facts" },
      stateChip(lesson.status),
      h("span", null, "for ", h("code", null, lesson.target)),
      h("span", null, `${lesson.confidence} confidence`),
      lesson.times > 1 ? h("span", null, `seen ${lesson.times} times`) : null,
      h("span", null, "from ", link(at("workflows", workflow, "tasks", task.join("/")), null, task.join("/")), " ", age(lesson.at)),
    ),
    lesson.evidence ? h("p", { class: "quiet" }, asText(lesson.evidence)) : null,
    lesson.reason ? h("p", { class: "quiet" }, `${lesson.decided_by ?? ""}: ${lesson.reason}`) : null,
    isOpen
      ? h(
          "div",
          { class: "actions" },
          sender("Accept", send("accept_lesson", "The lesson is accepted."), { class: "button button-main" }),
          sender("Reject", send("reject_lesson", "The lesson is rejected.")),
        )
      : null,
  );
}
