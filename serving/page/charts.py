"""The charts of the page as ECharts options: plain dicts, times in milliseconds."""

import math
from collections.abc import Sequence
from typing import Any

from serving.live import Point

LABELS = 10  # names of marks that fit beside each other on a phone
POINTS = 150  # drawn at most; more cost the browser and say no more
INK, DIM, GRID = "#1f2a37", "#6b7686", "#e6eaef"
OURS, BASE, MARK = "#0f766e", "#b45309", "#be123c"


def hit_rate(points: Sequence[Point], marks: Sequence[float]) -> dict[str, Any]:
    """Return HR@10 beside popularity, a dashed line where a drift was found."""
    few = thinned(points)
    ours = _series("HR@10", [(p.at, p.hr_at_10) for p in few], OURS)
    ours["markLine"] = {
        "symbol": "none",
        "silent": True,
        "animation": False,
        "lineStyle": {"color": MARK, "type": "dashed", "width": 1.5},
        "label": {"formatter": "drift", "color": MARK, "position": "end", "rotate": 0},
        "data": _marked([at for at in marks if few and at >= few[0].at], few),
    }
    base = _series("popularity", [(p.at, p.popularity_hr_at_10) for p in few], BASE)
    return _chart([ours, base])


def rates(points: Sequence[Point]) -> dict[str, Any]:
    """Return events per second and, on the right, the lag."""
    few = thinned(points)
    chart = _chart(
        [
            _series("events per second", [(p.at, p.events_per_s) for p in few], OURS),
            _series("lag", [(p.at, p.lag) for p in few], BASE) | {"yAxisIndex": 1},
        ]
    )
    chart["yAxis"] = [_axis(), _axis() | {"splitLine": {"show": False}}]
    return chart


def freshness(points: Sequence[Point]) -> dict[str, Any]:
    """Return p50 and p99 of freshness, in milliseconds."""
    few = thinned(points)
    return _chart(
        [
            _series("p50", [(p.at, p.freshness_p50_ms) for p in few], OURS),
            _series("p99", [(p.at, p.freshness_p99_ms) for p in few], BASE),
        ]
    )


def thinned(points: Sequence[Point]) -> list[Point]:
    """Return every n-th point, the last one among them, so that few are left."""
    step = max(1, math.ceil(len(points) / POINTS))
    return list(points)[::-1][::step][::-1]


def _marked(marks: Sequence[float], points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return a line for each mark; of those that stand close together one has its name."""
    room = (points[-1].at - points[0].at) / LABELS if points else 0.0
    lines, named = [], -math.inf
    for at in marks:
        shown = at - named >= room
        named = at if shown else named
        lines.append({"xAxis": 1000 * at, **({} if shown else {"label": {"show": False}})})
    return lines


def _series(name: str, values: Sequence[tuple[float, float]], colour: str) -> dict[str, Any]:
    data = [[1000 * at, None if math.isnan(value) else round(value, 4)] for at, value in values]
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "color": colour,
        "lineStyle": {"width": 2},
        "data": data,
    }


def _axis() -> dict[str, Any]:
    return {
        "type": "value",
        "min": 0,
        "splitNumber": 4,
        "axisLabel": {"color": DIM},
        "splitLine": {"lineStyle": {"color": GRID}},
    }


def _chart(series: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "animation": False,
        "textStyle": {"fontFamily": "Roboto, sans-serif", "color": INK},
        "grid": {"left": 8, "right": 26, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "icon": "roundRect", "itemHeight": 3, "itemWidth": 14},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "time",
            "axisLabel": {"color": DIM, "hideOverlap": True, "formatter": "{HH}:{mm}:{ss}"},
            "axisLine": {"lineStyle": {"color": GRID}},
            "splitNumber": 4,
        },
        "yAxis": _axis(),
        "series": series,
    }
