"""Shows one answer: a table for people, JSON for programs."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from state.answers import Answer

NOTES = {
    "trending": "no list of their own yet; trending",
    "nothing": "no list, and nothing is trending: has a worker seen any event?",
}


def show(answer: "Answer", as_json: bool) -> None:
    """Print the answer to stdout: as a table, or as one line of JSON."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    elif not answer.items:
        sys.stdout.write(f"{answer.user or answer.item}: {NOTES['nothing']}\n")
    else:
        _table(answer)


def caption(answer: "Answer") -> str:
    """Return in one line what a list is and when it was made.

    >>> from state.answers import Answer
    >>> caption(Answer("trending", ts=1396314141.0))
    'no list of their own yet; trending, as of 2014-04-01 01:02:21 UTC'
    """
    version = f"version {answer.version}" if answer.version else "similar items"
    made = datetime.fromtimestamp(answer.ts, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{NOTES.get(answer.source, version)}, as of {made}"


def _table(answer: "Answer") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    reasons = any(entry.because for entry in answer.items)
    title = Text(f"{answer.user or answer.item}: {caption(answer)}")
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for name in ("", "item", "score", *(["because"] if reasons else [])):
        table.add_column(name, justify="right" if name in ("", "score") else "left")
    for place, entry in enumerate(answer.items, 1):
        cells = [str(place), entry.item, f"{entry.score:.3f}", entry.because]
        table.add_row(*(Text(cell) for cell in cells[: 4 if reasons else 3]))
    Console(soft_wrap=True).print(table)
