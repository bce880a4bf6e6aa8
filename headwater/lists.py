"""Shows one answer: a table for people, JSON for programs."""

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from state.answers import Answer

# What a terminal acts on instead of showing it: control characters and changes of direction.
ACTED_ON = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
NOTES = {
    "trending": "no list of their own yet; trending",
    "trending item": "nothing goes with it yet; trending",
    "nothing": "no list, and nothing is trending: has a worker seen any event?",
}


def plain(text: str) -> str:
    """Return an id as a terminal may be given it; ids come from whoever sends events.

    >>> plain("tea" + chr(27) + "[2J")
    'tea�[2J'
    """
    return ACTED_ON.sub("\N{REPLACEMENT CHARACTER}", text)


def show(answer: "Answer", as_json: bool) -> None:
    """Print the answer to stdout: as a table, or as one line of JSON."""
    if as_json:
        text = msgspec.json.encode(answer).decode()
        sys.stdout.write(ACTED_ON.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    elif not answer.items:
        sys.stdout.write(f"{plain(answer.user or answer.item)}: {NOTES['nothing']}\n")
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
    of_item = " item" if answer.item and not answer.user else ""
    if answer.segment:
        version = f"no list of their own yet; {plain(answer.segment)}"
    return f"{NOTES.get(answer.source + of_item, version)}, as of {made}"


def _table(answer: "Answer") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    reasons = any(entry.because for entry in answer.items)
    title = Text(f"{plain(answer.user or answer.item)}: {caption(answer)}")
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for name in ("", "item", "score", *(["because"] if reasons else [])):
        table.add_column(name, justify="right" if name in ("", "score") else "left")
    for place, entry in enumerate(answer.items, 1):
        cells = [str(place), plain(entry.item), f"{entry.score:.3f}", plain(entry.because)]
        table.add_row(*(Text(cell) for cell in cells[: 4 if reasons else 3]))
    Console(soft_wrap=True).print(table)
