"""The verdict: every check in one line, and what was wrong."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.chaos.checker import CHECKS, Left
from benchmarks.chaos.schedule import Fault

SHOWN = 10


class Verdict(NamedTuple):
    """What every check has found, by its name."""

    found: dict[str, list[str]]

    @property
    def good(self) -> bool:
        """Whether nothing was wrong."""
        return not any(self.found.values())

    def text(self) -> str:
        """Return it in lines."""
        lines = []
        for name, wrong in self.found.items():
            lines.append(f"{'ok ' if not wrong else 'NOT'} {name.replace('_', ' ')}")
            lines += [f"      {why}" for why in wrong[:SHOWN]]
            if len(wrong) > SHOWN:
                lines.append(f"      and {len(wrong) - SHOWN} more")
        return "\n".join([*lines, "all is well" if self.good else "NOT all is well"])


def judged(left: Left, watched: Sequence[str], ended: Sequence[str]) -> Verdict:
    """Return the verdict on what a run has left, has shown on its way, and on how it ended."""
    found = {check.__name__: list(check(left)) for check in CHECKS}
    return Verdict(
        {
            **found,
            "nobody_saved_what_was_not_theirs": list(watched),
            "workers_ended_in_good_order": list(ended),
        }
    )


def summary(happened: Sequence[Fault]) -> str:
    """Return how many faults of each kind there were.

    >>> summary([Fault(1.0, "kill", "worker1", 0.0), Fault(2.0, "kill", "worker1", 0.0)])
    '2 faults: 2 kill'
    """
    kinds = Counter(fault.kind for fault in happened)
    told = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    return f"{len(happened)} faults: {told}"
