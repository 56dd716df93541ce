"""The inputs of a template that other fields of a task fill where its arguments do not."""

#: The label of the task, or its goal.
GOAL_INPUTS = ("piece", "goal")
#: Its done criteria.
DONE_INPUT = "done_criteria"
#: Its expert role, and what a known one brings.
ROLE_INPUT = "expert_role"
LENS_INPUTS = frozenset({"criteria", "role_sentence"})

FILLED = frozenset({*GOAL_INPUTS, DONE_INPUT, ROLE_INPUT, *LENS_INPUTS})
