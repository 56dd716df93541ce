"""Which projects a transaction sees, as conditions for its statements.

Every statement that finds rows by anything but the id of a workflow that was found before has
one of these conditions; so what lies in another project is, for whoever may not see it, not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sight:
    """Two conditions on rows, and the parameters in them."""

    #: On a row with a column `project`.
    of_project: str = "TRUE"
    #: On a row with a column `workflow_id`.
    of_workflow: str = "TRUE"
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Those that are seen; None: all.
    projects: frozenset[str] | None = None


EVERYTHING = Sight()


def sight_of(projects: frozenset[str]) -> Sight:
    """The sight of `projects` and nothing else."""
    params = {f"sees_{place}": name for place, name in enumerate(sorted(projects))}
    named = f"project IN ({', '.join(f':{name}' for name in params)})" if params else "FALSE"
    return Sight(
        of_project=named,
        of_workflow=f"workflow_id IN (SELECT id FROM workflows WHERE {named})",
        params=params,
        projects=projects,
    )
