"""What a demo did, in figures: printed, and written as flat JSON."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import metrics

if TYPE_CHECKING:
    from serving.live import Snapshot

Summary = dict[str, int | float | None]


def summary(snapshot: "Snapshot", produced: int, seconds: float) -> Summary:
    """Return the summary of a demo whose events took `seconds`, from the first to the last list.

    Quality is of fresh lists over all events, judged before each was learned. `None` stands
    where there is no figure.
    """
    learned = snapshot.outcome("learned")
    found: Summary = {
        "produced": produced,
        "consumed": snapshot.consumed(),
        "learned": learned,
        "dead_letters": snapshot.outcome("dead_letter"),
        "duplicates": snapshot.outcome("duplicate"),
        "rekeyed": snapshot.outcome("rekeyed"),
        "hr_at_10": snapshot.quality("hr_at_10"),
        "hr_at_20": snapshot.quality("hr_at_20"),
        "mrr_at_20": snapshot.quality("mrr_at_20"),
        "popularity_hr_at_10": snapshot.quality("hr_at_10", "popularity"),
        "events_per_s": round(learned / seconds, 1) if seconds > 0 else None,
        "freshness_ms_p50": snapshot.freshness_ms(0.5),
        "freshness_ms_p99": snapshot.freshness_ms(0.99),
        "lists_published": int(snapshot.samples.total(metrics.LISTS, kind="rec")),
        "drifts": int(snapshot.samples.total(metrics.DRIFTS)),
    }
    return {name: _finite(value) for name, value in found.items()}


def write(found: Summary, path: Path) -> None:
    """Write the summary as JSON and print it as a table."""
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    wide = max(map(len, found))
    for name, value in found.items():
        sys.stdout.write(f"  {name:<{wide}}  {'-' if value is None else value}\n")
    sys.stdout.write(f"also in {path}\n")
    sys.stdout.flush()


def _finite(value: float | None) -> float | int | None:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
