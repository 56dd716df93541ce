"""What is odd about a result that was accepted: told with it, and in every digest."""

from typing import Any

from relaybook.core.panel.risk import colour, worst
from relaybook.core.result.envelope import SEVERAL_RESULTS, Envelope

UNVALIDATED = "unvalidated"
#: Its data names a better colour than the worst of its own issues.
COLOUR_BELOW_ISSUES = "colour_below_issues"
#: What each flag means; those of suspicious texts are named by `fence.scan`.
MEANINGS = {
    SEVERAL_RESULTS: "the output held blocks that differ; the last one is the result",
    "ignored: …": "members of the block that mean nothing, such as `gap` for `gaps`, or `confidence` 0.9",
    COLOUR_BELOW_ISSUES: "a risk is rated better than the worst issue given for it",
    UNVALIDATED: "the output was taken as it is, held against no schema",
    "unmerged": "the template is gone that says how such results merge",
}


def result_flags(envelope: Envelope) -> tuple[str, ...]:
    """The flags of a result, what its block showed first."""
    odd = (
        (COLOUR_BELOW_ISSUES, _understated(envelope.data)),
        (UNVALIDATED, not envelope.validated),
    )
    return (*envelope.flags, *(name for name, holds in odd if holds))


def _understated(data: Any) -> bool:
    """Whether a risk is rated better than the worst issue that is given for it."""
    if not isinstance(data, dict) or not isinstance(issues := data.get("issues"), list):
        return False
    given = [colour(issue.get("colour")) for issue in issues if isinstance(issue, dict)]
    rated = colour(data.get("colour"))
    known = [shade for shade in (rated, *given) if shade is not None]
    return rated is not None and worst(known) is not rated
