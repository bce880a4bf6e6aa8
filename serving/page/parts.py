"""Parts of the page as HTML. Ids and reasons come from strangers: everything is escaped here."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from contracts import metrics
from serving.live import Point, Snapshot
from serving.scrape import Samples
from state.answers import NOTHING, OWN, Answer

ROWS = 6
RECENT_S = 7200.0  # what is younger needs no date, also shortly after midnight
FALLS = "falls of the hit rate, counted by partition"
NOTHING_KNOWN = Snapshot(Point(0.0), 0, "", Samples())


class Figure(NamedTuple):
    """One number at the top of the page: name, unit, value as text and what it means."""

    name: str
    unit: str
    value: str
    meaning: str


def figures(snapshot: Snapshot) -> list[Figure]:
    """Return the figures in the order of the page; a dash where nothing is known."""
    now, known = snapshot.point, snapshot.workers > 0
    dead = snapshot.outcome("dead_letter") if known else math.nan
    speed = now.events_per_s if known else math.nan
    return [
        Figure("Events", "per second", number(speed, 0), "learned, last seconds"),
        Figure("Lag", "events", number(now.lag, 0), "not yet processed"),
        Figure("Freshness p50", "ms", number(now.freshness_p50_ms, 1), "event to list, half"),
        Figure("Freshness p99", "ms", number(now.freshness_p99_ms, 1), "event to list, 99 %"),
        Figure("HR@10", "share", number(now.hr_at_10, 3), _beside(now)),
        Figure("Drifts", "found", str(now.drifts) if known else "-", FALLS),
        Figure("Dead letters", "messages", number(dead, 0), "could not be used"),
    ]


def about(title: str) -> str:
    """Return the line under the heading, empty without a title.

    >>> about("a <b>.csv"), about("")
    ("<div class='hw-about'>a &lt;b&gt;.csv</div>", '')
    """
    sound = title.encode(errors="replace").decode()  # a file's name may hold any bytes
    return f"<div class='hw-about'>{escape(sound)}</div>" if title else ""


def number(value: float, digits: int) -> str:
    """Return a number with thousands apart, a dash for NaN.

    >>> number(12345.6, 0), number(float("nan"), 1)
    ('12,346', '-')
    """
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def figure(shown: Figure) -> str:
    """Return the tile of one figure."""
    return (
        f"<div class='hw-name'>{escape(shown.name)} <span>{escape(shown.unit)}</span></div>"
        f"<div class='hw-value'>{escape(shown.value)}</div>"
        f"<div class='hw-dim'>{escape(shown.meaning)}</div>"
    )


def banner(snapshot: Snapshot, asked: int) -> str:
    """Return what is away, of `asked` workers and Redis; empty when all is well."""
    lines = []
    if snapshot.workers < asked:
        head = "No worker answers" if snapshot.workers == 0 else "Not every worker answers"
        lines.append((head, snapshot.problem))
    elif snapshot.problem:
        lines.append(("Waiting for Redis", snapshot.problem))
    for service, waiting in snapshot.samples.by(metrics.WAITING, "service").items():
        if waiting:
            lines.append((f"The worker waits for {service}", "it continues by itself"))
    return "".join(f"<div><b>{escape(head)}</b> {escape(tail)}</div>" for head, tail in lines)


class Changes:
    """Knows which items came with the last change of each user's list that was seen.

    >>> from state.answers import Entry
    >>> changes, tea, jam = Changes(), Entry("tea", 1.0), Entry("jam", 1.0)
    >>> changes.see([Answer(OWN, [tea], "ann", version=1)])
    {'ann': set()}
    >>> changes.see([Answer(OWN, [tea, jam], "ann", version=2)])
    {'ann': {'jam'}}
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, set[str], set[str]]] = {}

    def see(self, answers: Sequence[Answer]) -> dict[str, set[str]]:
        """Take the lists as they stand now and return the new items of each user."""
        self._seen = {answer.user: self._after(answer) for answer in answers}
        return {user: new for user, (_, _, new) in self._seen.items()}

    def _after(self, answer: Answer) -> tuple[int, set[str], set[str]]:
        items = {entry.item for entry in answer.items}
        version, before, new = self._seen.get(answer.user, (answer.version, items, set[str]()))
        return answer.version, items, new if version == answer.version else items - before


def user_list(answer: Answer, new: set[str], now: float) -> str:
    """Return the card of a user's list; items that are `new` stand out."""
    head = (
        f"<b>{escape(answer.user)}</b> <span>version {answer.version}</span>"
        f"<div>{ago(answer, now)}</div>"
    )
    rows = "".join(
        _row(entry.item, entry.because, entry.item in new) for entry in answer.items[:ROWS]
    )
    return f"<div class='hw-head'>{head}</div><ol>{rows}</ol>"


def trending(answer: Answer) -> str:
    """Return what is chosen most now, each with its share of the top item's score."""
    if answer.source == NOTHING:
        return note("Nothing is trending yet.")
    top = max([entry.score for entry in answer.items], default=0.0) or 1.0
    rows = "".join(_bar(entry.item, entry.score / top) for entry in answer.items[: ROWS + 4])
    return f"<ol>{rows}</ol>"


def looked_up(answer: Answer, now: float) -> str:
    """Return a user's whole list with scores and reasons, or what stands in for it."""
    if answer.source == NOTHING:
        return note("No list stands in Redis, and nothing is trending yet.")
    name = f"<b>{escape(answer.user)}</b>"
    if answer.source == OWN:
        said = f"{name}: version {answer.version} · {ago(answer, now)}"
    else:
        said = f"{name} has no list of their own; this is what is trending"
    rows = "".join(
        f"<tr><td>{place}</td><td>{escape(entry.item)}</td><td>{entry.score:.4g}</td>"
        f"<td>{escape(entry.because)}</td></tr>"
        for place, entry in enumerate(answer.items, 1)
    )
    head = "<tr><th></th><th>item</th><th>score</th><th>why</th></tr>"
    return f"<p>{said}</p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def note(text: str) -> str:
    """Return what stands where there is nothing to show: why."""
    return f"<p class='hw-dim'>{escape(text)}</p>"


def lists(answers: Sequence[Answer], new: dict[str, set[str]], now: float) -> str:
    """Return the cards of several users' lists."""
    if not answers:
        return note("No list stands in Redis yet; the first event of a user brings one.")
    cards = (user_list(answer, new.get(answer.user, set()), now) for answer in answers)
    return "".join(f"<div class='hw-list'>{card}</div>" for card in cards)


def ago(answer: Answer, now: float) -> str:
    """Return how long ago the event was that caused a list; its day (UTC) if that is not today.

    >>> ago(Answer(OWN, ts=940.0), 1000.0), ago(Answer(OWN, ts=0.0), 10_800.0)
    ('event 60 s ago', 'event 3 h ago')
    >>> ago(Answer(OWN, ts=1_396_864_264.0), 1_700_000_000.0)
    'event of 2014-04-07'
    """
    seconds = abs(now - answer.ts)
    day = datetime.fromtimestamp(answer.ts, UTC).date()
    if seconds >= RECENT_S and day != datetime.fromtimestamp(now, UTC).date():
        return f"event of {day}"
    seconds = max(0.0, now - answer.ts)  # clocks differ a little
    unit, size = ("s", 1) if seconds < 120 else ("min", 60) if seconds < RECENT_S else ("h", 3600)
    return f"event {seconds / size:.0f} {unit} ago"


def _row(item: str, because: str, new: bool) -> str:
    kind = " class='hw-new'" if new else ""
    title = escape(f"{item}: {because}")
    why = f"<span class='hw-why'>{escape(because)}</span>"
    return f"<li{kind} title='{title}'>{escape(item)} {why}</li>"


def _bar(item: str, share: float) -> str:
    percent = 100 * min(1.0, max(0.0, share))
    bar, said = f"<i style='width:{percent:.1f}%'></i>", f"{percent:.1f} %"
    return f"<li title='{escape(item)}'>{bar}<b>{escape(item)}</b><span>{said}</span></li>"


def _beside(now: Point) -> str:
    return f"popularity alone: {number(now.popularity_hr_at_10, 3)}"
