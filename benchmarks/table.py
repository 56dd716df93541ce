"""The one table: a line for each figure, all in the same columns."""

import statistics
from collections.abc import Sequence

from benchmarks.measure import Ratio

HEAD = f"{'figure':<46} {'ratio':>6}  {'p10-p90':<13} {'target':<8} {'took':>9} {'floor':>9}  n"


def line(figure: str, found: Ratio, target: str = "") -> str:
    """A figure, its spread, the target it is held to, and the medians that it comes from."""
    spread = f"{found.low:.2f}-{found.high:.2f}"
    return (
        f"{figure:<46} {found.median:>6.2f}  {spread:<13} {target:<8}"
        f" {_duration(found.subject):>9} {_duration(found.floor):>9}  {found.rounds}"
    )


def amount(figure: str, samples: Sequence[float], scale: float, target: str = "") -> str:
    """The median of what was measured, times `scale`, and the middle 80 % of it."""
    tenths = statistics.quantiles(samples, n=10, method="inclusive")
    spread = f"{tenths[0] * scale:.0f}-{tenths[-1] * scale:.0f}"
    shown = f"{statistics.median(samples) * scale:.0f}"
    return f"{figure:<46} {shown:>6}  {spread:<13} {target:<8} {'':>19}  {len(samples)}"


def count(figure: str, found: float, target: str = "") -> str:
    """A figure that is no ratio of times: a number, or one number over another."""
    shown = f"{found:,.2f}" if found < 100 else f"{found:,.0f}"
    return f"{figure:<46} {shown:>6}  {'':<13} {target:<8}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us" if seconds < 0.1 else f"{seconds:.3f} s"
