"""The live view in a terminal: rates, lag, freshness, quality and lists while they change."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from headwater.lists import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from serving.live import Live, Point, Snapshot
    from state.answers import Answer

EVERY_S = 1.0
ROWS = 8  # of each list
GRAPH = 60  # points
BARS = "▁▂▃▄▅▆▇█"
MARK = "◆"


def watch(live: "Live", title: Callable[[], str], done: Callable[["Snapshot"], bool]) -> "Snapshot":
    """Poll and show once a second until `done` says so; return the last snapshot.

    In a terminal the view is redrawn in place; elsewhere each poll is one plain line.
    """
    from rich.console import Console
    from rich.live import Live as Screen

    console = Console()
    if not console.is_terminal:
        return _polled(live, lambda snapshot: _say(line(snapshot)), done)
    with Screen(console=console, auto_refresh=False) as screen:
        before: list[Answer] = []

        def show(snapshot: "Snapshot") -> None:
            screen.update(view(title(), live, snapshot, before), refresh=True)
            before[:] = snapshot.lists

        return _polled(live, show, done)


def line(snapshot: "Snapshot") -> str:
    """Return a snapshot in one plain line."""
    cells = [f"{name} {value}" for name, value in figures(snapshot)]
    return ", ".join([*cells, snapshot.problem] if snapshot.problem else cells)


def figures(snapshot: "Snapshot") -> list[tuple[str, str]]:
    """Return the figures of a snapshot with their names, ready to be shown."""
    now = snapshot.point
    return [
        ("events/s", f"{now.events_per_s:,.0f}"),
        ("learned", f"{snapshot.outcome('learned'):,}"),
        ("lag", _number(now.lag, ",.0f")),
        ("freshness p50", _number(now.freshness_p50_ms, ".1f", " ms")),
        ("p99", _number(now.freshness_p99_ms, ".1f", " ms")),
        ("HR@10", _number(now.hr_at_10, ".3f")),
        ("popularity", _number(now.popularity_hr_at_10, ".3f")),
        ("dead letters", f"{snapshot.outcome('dead_letter'):,}"),
        ("drifts", str(now.drifts)),
    ]


def view(
    title: str, live: "Live", snapshot: "Snapshot", before: Sequence["Answer"]
) -> "RenderableType":
    """Return the whole view; items that were not in a user's list `before` stand out."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    old = {answer.user: {entry.item for entry in answer.items} for answer in before}
    lists = [_list(answer, old.get(answer.user)) for answer in snapshot.lists]
    parts: list[RenderableType] = [_figures(snapshot), *_graphs(live)]
    parts.append(_side_by_side(lists) if lists else Text("no lists yet"))
    if snapshot.problem:
        parts.append(Text(snapshot.problem, style="yellow"))
    return Panel(Group(*parts), title=title, subtitle="Ctrl-C ends", title_align="left")


def graph(values: Sequence[float], top: float) -> str:
    """Return bars for values from 0 to `top`, a blank where there is no value.

    >>> graph([0.0, 0.5, float("nan"), 1.0], 1.0)
    '▁▅ █'
    """
    steps = len(BARS)
    return "".join(
        " " if math.isnan(v) else BARS[max(0, min(steps - 1, int(v / (top or 1.0) * steps)))]
        for v in values
    )


def marks(points: Sequence["Point"]) -> str:
    """Return a mark under each point at which a drift was found."""
    return "".join(MARK if point.drifted else " " for point in points)


def _figures(snapshot: "Snapshot") -> "RenderableType":
    from rich.table import Table

    table = Table.grid(padding=(0, 3))
    cells = figures(snapshot)
    table.add_row(*(f"[dim]{name}[/]" for name, _ in cells))
    table.add_row(*(f"[bold]{value}[/]" for _, value in cells))
    return table


def _graphs(live: "Live") -> list["RenderableType"]:
    from rich.table import Table

    points = list(live.history)[-GRAPH:]
    hits, base = [p.hr_at_10 for p in points], [p.popularity_hr_at_10 for p in points]
    top = max([v for v in (*hits, *base) if not math.isnan(v)], default=1.0)
    speed = [p.events_per_s for p in points]
    table = Table.grid(padding=(0, 2))
    table.add_row("[dim]events/s[/]", graph(speed, max(speed, default=1.0)))
    table.add_row("[dim]HR@10[/]", f"[green]{graph(hits, top)}[/]")
    table.add_row("[dim]popularity[/]", f"[blue]{graph(base, top)}[/]")
    table.add_row("[dim]drifts[/]", f"[red]{marks(points)}[/]" + _last_mark(live))
    return [table]


def _last_mark(live: "Live") -> str:
    if not live.marks:
        return "[dim]none found yet[/]"
    last = datetime.fromtimestamp(live.marks[-1]).astimezone().strftime("%H:%M:%S")
    return f"[dim] last at {last}[/]"


def _side_by_side(lists: Sequence["RenderableType"]) -> "RenderableType":
    from rich.table import Table

    table = Table.grid(expand=True)
    for _ in lists:
        table.add_column(ratio=1)
    table.add_row(*lists)
    return table


def _list(answer: "Answer", old: set[str] | None) -> "RenderableType":
    from rich.panel import Panel
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    for entry in answer.items[:ROWS]:
        new = old is not None and entry.item not in old
        text.append(plain(entry.item), style="bold green" if new else "")
        text.append(f"  {plain(entry.because)}\n", style="dim")
    text.rstrip()
    title = Text(f"{plain(answer.user)} · version {answer.version}")
    return Panel(text, title=title, title_align="left")


def _polled(
    live: "Live", show: Callable[["Snapshot"], None], done: Callable[["Snapshot"], bool]
) -> "Snapshot":
    due = time.monotonic()
    while True:
        snapshot = live.poll()
        show(snapshot)
        if done(snapshot):
            return snapshot
        due = max(due + EVERY_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _number(value: float, form: str, unit: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{form}}{unit}"
