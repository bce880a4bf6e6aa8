"""The page as one visitor sees it: built once, then changed in place once a second."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import RedisAway
from serving.live import Live, Snapshot
from serving.page import charts, groups, parts, weights

if TYPE_CHECKING:
    from nicegui.elements.echart import EChart
    from nicegui.elements.html import Html
    from nicegui.elements.select import Select

STYLE = Path(__file__).with_name("style.css")
EVERY_S = 1.0
OWN = "own list"
WEIGHTS = "generators' weights, by items chosen"


class View:
    """One visitor's page; `latest` gives the newest snapshot, None before the first.

    `title` says under the heading what the data are, nothing if it is empty.
    """

    def __init__(self, live: Live, latest: Callable[[], Snapshot | None], title: str = "") -> None:
        from nicegui import ui

        self._live, self._latest = live, latest
        self._shown: Snapshot | None = None
        self._changes = parts.Changes()
        self._asked = self._place = ""
        ui.add_css(STYLE)
        with ui.column().classes("hw-page"):
            self._top(title)
            self._figures = self._tiles()
            self._charts = self._graphs()
            with ui.element("div").classes("hw-below"):
                self._lists = _card("Lists as they change", "three users", "hw-lists")
                self._trending = _card("Trending", "share of the top item")
                with ui.element("div").classes("hw-right"):
                    self._weights = _card("Fusion", WEIGHTS, "hw-weights")
                    self._found = self._look_up()
            self._groups = self._who()
        self.update()
        ui.timer(EVERY_S, self.update)
        ui.timer(2 * EVERY_S, self.look, immediate=False)

    def update(self) -> None:
        """Show the newest snapshot, if it is a new one."""
        snapshot = self._latest()
        if snapshot is None or snapshot is self._shown:
            return
        now = time.time()
        text = parts.banner(snapshot, len(self._live.urls))
        self._banner.set_content(text)
        self._banner.set_visibility(bool(text))
        for tile, figure in zip(self._figures, parts.figures(snapshot), strict=True):
            tile.set_content(parts.figure(figure))
        self._draw()
        new = self._changes.see(snapshot.lists)
        self._lists.set_content(parts.lists(snapshot.lists, new, now))
        self._trending.set_content(parts.trending(snapshot.trending))
        self._weights.set_content(weights.table(snapshot.weights()))
        served = groups.tables(snapshot.samples)
        self._groups.set_content(served)
        self._groups.set_visibility(bool(served))
        self._shown = snapshot

    async def look(self) -> None:
        """Show the list of the user who is asked for, as it stands now."""
        from nicegui import run

        if not self._asked:
            return
        try:
            recommend = self._live.answers().recommend
            answer = await run.io_bound(recommend, self._asked, self._place)
        except RedisAway as error:
            self._found.set_content(parts.note(str(error)))
            return
        if answer is not None:  # None: the page is closing
            self._found.set_content(parts.looked_up(answer, time.time()))

    def _top(self, title: str) -> None:
        from nicegui import ui

        ui.html(
            "<h1>Headwater</h1><span class='hw-dim'>events in, answers out, as it happens</span>"
            + parts.about(title),
            sanitize=False,
        ).classes("hw-top")
        self._banner = ui.html("", sanitize=False).classes("hw-banner").props('role="status"')
        self._banner.set_visibility(False)

    def _tiles(self) -> list["Html"]:
        from nicegui import ui

        empty = parts.figures(parts.NOTHING_KNOWN)
        with ui.element("div").classes("hw-figures"):
            return [ui.html(parts.figure(f), sanitize=False).classes("hw-tile") for f in empty]

    def _graphs(self) -> list["EChart"]:
        from nicegui import ui

        with ui.element("div").classes("hw-charts"):
            return [
                _graph("Hit rate at 10", "share of the last events, judged before learning"),
                _graph("Events and lag", "events per second; lag in events, right"),
                _graph("Freshness", "ms from event to list"),
            ]

    def _draw(self) -> None:
        points, marks = list(self._live.history), list(self._live.marks)
        options = (charts.hit_rate(points, marks), charts.rates(points), charts.freshness(points))
        for chart, option in zip(self._charts, options, strict=True):
            chart.options.clear()
            chart.options.update(option)
            chart.update()

    def _who(self) -> "Html":
        """Make room for groups, which few pipelines have."""
        from nicegui import ui

        return ui.html("", sanitize=False).classes("hw-card hw-groups")

    def _look_up(self) -> "Html":
        from nicegui import ui

        with ui.element("section").classes("hw-card"):
            ui.html("<h2>Look up a user <span>list, score and why</span></h2>", sanitize=False)
            field = ui.input(placeholder="user id, then Enter").props(
                'dense outlined clearable aria-label="user id" maxlength=256'
            )
            field.classes("w-full")
            place = self._places()
            found = ui.html("", sanitize=False).classes("hw-found")

        async def ask() -> None:
            self._asked = (field.value or "").strip()
            self._place = place.value if place and place.value != OWN else ""
            found.set_content("")
            await self.look()

        field.on("keydown.enter", ask)
        if place is not None:
            place.on_value_change(ask)
        return found

    def _places(self) -> "Select | None":
        """Let the visitor choose among the own list and those of scenarios, where there are any."""
        from nicegui import ui

        if not self._live.scenarios:
            return None
        chosen = ui.select([OWN, *self._live.scenarios], value=OWN)
        return chosen.props('dense outlined aria-label="list"').classes("w-full")


def _card(title: str, unit: str, classes: str = "") -> "Html":
    from nicegui import ui

    with ui.element("section").classes("hw-card"):
        ui.html(f"<h2>{title} <span>{unit}</span></h2>", sanitize=False)
        return ui.html("", sanitize=False).classes(classes)


def _graph(title: str, unit: str) -> "EChart":
    from nicegui import ui

    with ui.element("section").classes("hw-card"):
        ui.html(f"<h2>{title} <span>{unit}</span></h2>", sanitize=False)
        return ui.echart({}).classes("hw-chart")
