"""What the fusion has learned as a table: generators down, lengths of history across."""

from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise

from contracts.metrics import EVERYBODY, HISTORY
from serving.page.parts import note

DEEPEST = 0.5  # of the tint, so that the figure on it can be read


def table(weights: Mapping[str, Mapping[str, float]]) -> str:
    """Return each generator's share by segment, the heaviest first, tinted by its size."""
    if EVERYBODY not in weights:
        return note("No weights yet; the first events bring them, where the head learns.")
    columns = {EVERYBODY: EVERYBODY} | by_history(weights)
    heads = "".join(f"<th>{escape(label)}</th>" for label in columns.values())
    shares = sorted(weights[EVERYBODY].items(), key=lambda pair: -pair[1])
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(_cell(weights[segment].get(name, 0.0)) for segment in columns)
        + "</tr>"
        for name, _ in shares
    )
    return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def by_history(segments: Iterable[str]) -> dict[str, str]:
    """Return the segments by length of history, shortest first, and the lengths in each.

    >>> by_history(["all", "history:5", "history:0", "history:1", "gap_s:0"])
    {'history:0': '0', 'history:1': '1-4', 'history:5': '5+'}
    """
    split = (name.partition(":") for name in segments)
    bounds = sorted(int(bound) for kind, _, bound in split if kind == HISTORY)
    names = [str(low) if high == low + 1 else f"{low}-{high - 1}" for low, high in pairwise(bounds)]
    names += [f"{bound}+" for bound in bounds[-1:]]
    return {f"{HISTORY}:{bound}": name for bound, name in zip(bounds, names, strict=True)}


def _cell(share: float) -> str:
    tint = f"rgb(15 118 110 / {DEEPEST * min(1.0, share):.3f})"
    return f"<td style='background: {tint}'>{100 * share:.0f} %</td>"
