"""The live view in a terminal: rates, lag, freshness, quality, weights, changing lists."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from contracts.metrics import EVERYBODY
from headwater.lists import plain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.panel import Panel

    from serving.live import Live, Point, Snapshot
    from state.answers import Answer

EVERY_S = 1.0
ROWS = 8  # of each list
GRAPH = 60  # points at most
BESIDE = 35  # columns that frame, names and the time of the last drift take beside a graph
LIST = 38  # columns that an item and most of its reason need
BARS = "▁▂▃▄▅▆▇█"
MARK = "◆"
RATES = ("hr_at_10", "popularity_hr_at_10")


def watch(live: "Live", title: Callable[[], str], done: Callable[["Snapshot"], bool]) -> "Snapshot":
    """Poll and show once a second until `done` says so; return the last snapshot.

    In a terminal the view is redrawn in place; elsewhere each poll is one plain line, and the
    view comes once, at the end.
    """
    from rich.console import Console
    from rich.live import Live as Screen

    console = Console()
    if not console.is_terminal:
        last = _polled(live, lambda snapshot: _say(line(snapshot)), done)
        console.print(view(title(), live, last, last.lists, console.width))
        return last
    with Screen(console=console, auto_refresh=False) as screen:
        before: list[Answer] = []

        def show(snapshot: "Snapshot") -> None:
            shown = view(title(), live, snapshot, before, console.width)
            shown.subtitle = "Ctrl-C ends"
            screen.update(shown, refresh=True)
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
    title: str, live: "Live", snapshot: "Snapshot", before: Sequence["Answer"], width: int
) -> "Panel":
    """Return the whole view; items that were not in a user's list `before` stand out.

    It fits into 24 lines of 80 columns; of the lists there are as many as have room for reasons.
    """
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    old = {answer.user: {entry.item for entry in answer.items} for answer in before}
    fitting = snapshot.lists[: max(1, width // LIST)]
    lists = [_list(answer, old.get(answer.user)) for answer in fitting]
    points = list(live.history)[-max(1, min(GRAPH, width - BESIDE)) :]
    parts: list[RenderableType] = [_figures(snapshot), _graphs(live, points, _fusion(snapshot))]
    parts.append(_side_by_side(lists) if lists else Text("no lists yet"))
    if snapshot.problem:
        parts.append(Text(snapshot.problem, style="yellow"))
    return Panel(Group(*parts), title=title, title_align="left")


def graph(values: Sequence[float], top: float, low: float = 0.0) -> str:
    """Return bars for values from `low` to `top`, a blank where there is no value.

    >>> graph([0.0, 0.5, float("nan"), 1.0], 1.0)
    '▁▅ █'
    """
    steps, span = len(BARS), (top - low) or 1.0
    return "".join(
        " " if math.isnan(v) else BARS[max(0, min(steps - 1, int((v - low) / span * steps)))]
        for v in values
    )


def between(values: Sequence[float]) -> tuple[str, str]:
    """Return bars from the lowest to the highest value, and the two in words.

    >>> between([0.64, 0.7, float("nan"), 0.67])
    ('▁█ ▅', '.640 to .700')
    """
    there = [v for v in values if not math.isnan(v)]
    if not there:
        return graph(values, 1.0), ""
    low, top = min(there), max(there)
    return graph(values, top, low), f"{low:.3f} to {top:.3f}".replace("0.", ".")


def marks(points: Sequence["Point"]) -> str:
    """Return a mark under each point at which a drift was found."""
    return "".join(MARK if point.drifted else " " for point in points)


def _figures(snapshot: "Snapshot") -> "RenderableType":
    from rich.columns import Columns

    cells = [f"[dim]{name}[/]\n[bold]{value}[/]" for name, value in figures(snapshot)]
    return Columns(cells, padding=(0, 3))


def _fusion(snapshot: "Snapshot") -> "RenderableType":
    """Return what each generator weighs for all users, the heaviest first."""
    from rich.columns import Columns
    from rich.text import Text

    shares = snapshot.weights().get(EVERYBODY, {})
    top = max(shares.values(), default=1.0)
    cells = [
        Text.assemble(plain(name), " ", (graph([share], top), "green"), f" {100 * share:.0f} %")
        for name, share in sorted(shares.items(), key=lambda pair: -pair[1])
    ]
    return Columns(cells, padding=(0, 2)) if cells else "-"


def _graphs(live: "Live", points: Sequence["Point"], fusion: "RenderableType") -> "RenderableType":
    from rich.table import Table

    hits, base = (between([getattr(p, name) for p in points]) for name in RATES)
    speed = [p.events_per_s for p in points]
    table = Table.grid(padding=(0, 2))
    table.add_row("[dim]events/s[/]", graph(speed, max(speed, default=1.0)))
    table.add_row("[dim]HR@10[/]", f"[green]{hits[0]}[/] [dim]{hits[1]}[/]")
    table.add_row("[dim]popularity[/]", f"[blue]{base[0]}[/] [dim]{base[1]}[/]")
    table.add_row("[dim]drifts[/]", f"[red]{marks(points)}[/]" + _last_mark(live))
    table.add_row("[dim]fusion[/]", fusion)
    return table


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
