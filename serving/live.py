"""What a running system does now: rates, lag, freshness, quality, drifts, weights, lists.

Read from outside, as anybody could: the workers' /metrics and the answers in Redis. The terminal
view and the web page show the same snapshots.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import nan

from contracts import metrics, pipeline
from contracts.errors import RedisAway
from contracts.settings import Settings
from serving.scrape import Samples, quantile, scrape, since
from state.answers import NOTHING, Answer, Answers

WINDOW_S = 5.0  # rates and freshness are of the last seconds
KEPT = 900  # points of history
USERS = 3
STILL_POLLS = 8  # a list that has not changed for so many polls makes room for another
OUTCOMES = ("learned", "duplicate", "dead_letter", "rekeyed")


@dataclass(frozen=True)
class Point:
    """One poll, for graphs. `at` is wall time; NaN where nothing is known yet."""

    at: float
    events_per_s: float = 0.0
    lag: float = nan
    freshness_p50_ms: float = nan
    freshness_p99_ms: float = nan
    hr_at_10: float = nan
    popularity_hr_at_10: float = nan
    drifts: int = 0
    drifted: bool = False  # since the poll before


@dataclass(frozen=True)
class Snapshot:
    """Everything a live view shows; `problem` is one line where something does not answer."""

    point: Point
    workers: int
    problem: str
    samples: Samples
    lists: list[Answer] = field(default_factory=list)
    trending: Answer = field(default_factory=lambda: Answer(NOTHING))

    def outcome(self, name: str) -> int:
        """Return how many messages became this: learned, duplicate, dead_letter, rekeyed, late."""
        return int(self.samples.total(metrics.EVENTS, outcome=name))

    def consumed(self) -> int:
        """Return how many messages of `interactions` were handled in any way."""
        by_topic = (self.samples.by(metrics.EVENTS, "topic", outcome=name) for name in OUTCOMES)
        return int(sum(n for found in by_topic for t, n in found.items() if _first_hand(t)))

    def freshness_ms(self, q: float) -> float:
        """Return the q-quantile of freshness since the workers' start; NaN if there is none."""
        return 1000 * quantile(q, self.samples.buckets(metrics.FRESHNESS))

    def quality(self, measure: str, model: str = "lists", span: str = "total") -> float:
        """Return what the workers judged on fresh lists; model is lists or popularity; or NaN."""
        return quality(self.samples, measure, model, span)

    def weights(self) -> dict[str, dict[str, float]]:
        """Return each generator's share in the fusion, by segment; none before it has learned."""
        by, whole = self.samples.by, self.samples.by(metrics.WEIGHTS, "segment")
        return {
            segment: by(metrics.WEIGHTS, "generator", segment=segment)
            for segment, size in whole.items()
            if size
        }


class Live:
    """Polls workers and Redis; keeps `history` for graphs and `marks`, the times of drifts.

    `urls` are those of the workers' /metrics. `poll` blocks for some milliseconds (2 s for a
    worker that does not answer): call it from a thread where that matters. Not thread-safe.
    """

    def __init__(
        self, settings: Settings, urls: Sequence[str] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self.urls = [metrics_url(url) for url in urls] or [default_url(settings)]
        self.history: deque[Point] = deque(maxlen=KEPT)
        self.marks: deque[float] = deque(maxlen=KEPT)
        self._clock = clock
        self._pipeline = settings.pipeline
        self._answers = Answers(settings)
        self._past: deque[tuple[float, Samples]] = deque()
        self._shown: dict[str, tuple[Answer, int]] = {}

    @cached_property
    def scenarios(self) -> list[str]:
        """The names of the lists that users have beside their own.

        Raises:
            SettingsError: the pipeline cannot be read here.
        """
        return list(pipeline.read(self._pipeline).scenarios)

    def poll(self) -> Snapshot:
        """Ask everyone now; never raises because something is away, `problem` says so."""
        now = self._clock()
        samples, silent = self._scrape()
        point = self._point(now, samples)
        self.history.append(point)
        if point.drifted:
            self.marks.append(now)
        problem = f"waiting for a worker at {', '.join(silent)}" if silent else ""
        workers = len(self.urls) - len(silent)
        try:
            lists, trending = self._lists(), self._answers.trending()
        except RedisAway as error:
            return Snapshot(point, workers, problem or str(error), samples)
        return Snapshot(point, workers, problem, samples, lists, trending)

    def close(self) -> None:
        """Give the connection to Redis back."""
        self._answers.close()

    def answers(self) -> Answers:
        """Return the reader, for a look-up of one user or item."""
        return self._answers

    def _scrape(self) -> tuple[Samples, list[str]]:
        found = {url: scrape(url) for url in self.urls}
        answered = [samples for samples in found.values() if samples is not None]
        return Samples.together(answered), [url for url, said in found.items() if said is None]

    def _point(self, now: float, samples: Samples) -> Point:
        while len(self._past) > 1 and self._past[1][0] <= now - WINDOW_S:
            self._past.popleft()
        then, before = self._past[0] if self._past else (now, samples)
        self._past.append((now, samples))
        fresh = since(samples.buckets(metrics.FRESHNESS), before.buckets(metrics.FRESHNESS))
        drifts = int(samples.total(metrics.DRIFTS))
        return Point(
            at=now,
            events_per_s=_rate(samples, before, now - then),
            lag=samples.total(metrics.LAG) if samples.has(metrics.LAG) else nan,
            freshness_p50_ms=1000 * quantile(0.5, fresh),
            freshness_p99_ms=1000 * quantile(0.99, fresh),
            hr_at_10=quality(samples, "hr_at_10", "lists", "window"),
            popularity_hr_at_10=quality(samples, "hr_at_10", "popularity", "window"),
            drifts=drifts,
            drifted=bool(self.history) and drifts > self.history[-1].drifts,
        )

    def _lists(self) -> list[Answer]:
        """Follow the same users while their lists change, others when they stand still."""
        found = {answer.user: answer for answer in self._answers.lists(list(self._shown))}
        kept: dict[str, tuple[Answer, int]] = {}
        for user, (before, still) in self._shown.items():
            answer = found.get(user)
            if answer is not None and still < STILL_POLLS:
                kept[user] = (answer, 0 if answer.version != before.version else still + 1)
        if len(kept) < USERS:
            for answer in self._answers.newest(2 * USERS):
                if len(kept) < USERS and answer.user not in self._shown:
                    kept[answer.user] = (answer, 0)
        self._shown = kept or self._shown
        return [answer for answer, _ in self._shown.values()]


def default_url(settings: Settings) -> str:
    """Return where a worker with these settings shows its metrics."""
    return f"http://{settings.metrics_host}:{settings.metrics_port}/metrics"


def metrics_url(url: str) -> str:
    """Return the full URL of a worker's metrics, where only its host and port are given.

    >>> metrics_url("10.0.0.5:9464")
    'http://10.0.0.5:9464/metrics'
    """
    whole = url if "://" in url else f"http://{url}"
    return whole if whole.count("/") > 2 else f"{whole}/metrics"


def quality(samples: Samples, measure: str, model: str, span: str) -> float:
    """Return one measure on fresh lists, on stored ones where no fresh ones were judged, or NaN."""
    for list_ in ("fresh", "stored"):
        labels = {"measure": measure, "model": model, "list": list_, "span": span}
        if samples.has(metrics.QUALITY, **labels):
            return samples.total(metrics.QUALITY, **labels)
    return nan


def _first_hand(topic: str) -> bool:
    return topic.endswith("interactions")


def _rate(now: Samples, before: Samples, seconds: float) -> float:
    learned = now.total(metrics.EVENTS, outcome="learned")
    more = learned - before.total(metrics.EVENTS, outcome="learned")
    return max(0.0, more) / seconds if seconds > 0 else 0.0
