"""What SQLite's planner is told of the ledger, so that it finds the same way in every file.

Without figures it takes a key's first column to leave ten rows, and so reads all events of a
workflow where an index has those of one task. Counting would cost a walk over the file and tell
something else every time; these are a ledger of a thousand workflows of a thousand tasks.
"""

import sqlite3
from collections.abc import Mapping

_WORKFLOWS, _TASKS = 1_000, 1_000_000

#: Of each index that begins with a column that many rows share: the rows in it, then how many rows
#: have the same first column, the same two, and so on, as SQLite's `sqlite_stat1` has them. A
#: table without row ids is named itself.
_SHARED: Mapping[tuple[str, str], tuple[int, ...]] = {
    ("workflows", "sqlite_autoindex_workflows_1"): (_WORKFLOWS, 1),
    ("workflows", "workflows_open"): (_WORKFLOWS, 100, 1),
    ("workflows", "workflows_made"): (_WORKFLOWS, 1, 1),
    ("workflows", "workflows_recent"): (_WORKFLOWS, 1),
    ("tasks", "sqlite_autoindex_tasks_2"): (_TASKS, 1_000, 1),
    ("tasks", "tasks_in_order"): (_TASKS, 1_000, 1),
    ("tasks", "tasks_by_status"): (_TASKS, 1_000, 100, 100, 50, 1),
    ("attempts", "attempts"): (_TASKS, 1_000, 2, 1),
    ("edges", "edges"): (_TASKS, 1_000, 3, 1),
    ("edges", "edges_to"): (_TASKS, 1_000, 3),
    ("events", "events"): (4 * _TASKS, 4_000, 1),
    ("events", "events_of_task"): (4 * _TASKS, 4_000, 4, 1),
    ("texts", "sqlite_autoindex_texts_1"): (_TASKS, 1_000, 1),
}


def tell_planner(conn: sqlite3.Connection) -> None:
    """Keep the figures in the file, in place of any that were counted."""
    conn.execute("ANALYZE sqlite_master")  # makes the table of figures, and counts nothing
    conn.execute("DELETE FROM sqlite_stat1")
    conn.executemany(
        "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
        [(*names, " ".join(map(str, figures))) for names, figures in _SHARED.items()],
    )
    conn.execute("ANALYZE sqlite_master")  # has this connection read them
