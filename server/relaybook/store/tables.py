"""The tables that hold the state of workflows, and their statements."""

from relaybook.model import Attempt, Task, Workflow
from relaybook.store.table import Table

WORKFLOWS = Table("workflows", Workflow, key=["id"])
TASKS = Table("tasks", Task, key=["workflow_id", "id"])
ATTEMPTS = Table("attempts", Attempt, key=["workflow_id", "task_id", "number"])
