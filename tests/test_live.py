"""The live view reads a running worker from outside: real metrics over HTTP, real Redis."""

import io
import json
import math
import re
from collections.abc import Iterator

import pytest
import redis
from prometheus_client import CollectorRegistry
from rich.console import Console

from contracts import keys, metrics
from contracts.settings import Settings
from headwater import watch
from serving.live import Live, metrics_url
from serving.scrape import Samples, quantile, since
from streams.telemetry.http import Endpoint, Health
from streams.telemetry.metrics import Telemetry


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time that the test has set."""
        return self.now


class Worker:
    """A worker as far as others see it: its metrics on a port."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.telemetry = Telemetry(self.registry)
        self.endpoint = Endpoint(self.registry, Health(), "127.0.0.1", 0)
        self.url = f"{self.endpoint.url}/metrics"

    def learn(self, n: int, hits: float, topic: str = "interactions") -> None:
        """Learn `n` events of a topic, with this hit rate."""
        self.telemetry.count(metrics.EVENTS, n, topic=topic, outcome="learned")
        for model, value in (("lists", hits), ("popularity", hits / 4)):
            labels = {"measure": "hr_at_10", "model": model, "list": "fresh"}
            self.telemetry.set(metrics.QUALITY, value, **labels, span="window")
            self.telemetry.set(metrics.QUALITY, value, **labels, span="total")

    def weigh(self, segment: str, **shares: float) -> None:
        """Let the fusion weigh its generators so in a segment."""
        for generator, share in shares.items():
            self.telemetry.set(metrics.WEIGHTS, share, generator=generator, segment=segment)


@pytest.fixture
def worker() -> Iterator[Worker]:
    found = Worker()
    with found.endpoint:
        yield found


@pytest.fixture
def store(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis) as client:
        yield client


def put(
    store: redis.Redis,
    settings: Settings,
    user: str,
    version: int,
    *items: str,
    because: str = "popular now",
) -> None:
    entries = [{"item": item, "score": 1.0, "because": because} for item in items]
    value = {"user": user, "items": entries, "version": version, "ts": float(version)}
    store.set(keys.REC.at(settings.key_prefix, user=user), json.dumps(value))


def test_rates_and_freshness_are_of_the_last_seconds(settings: Settings, worker: Worker) -> None:
    clock = Clock()
    live = Live(settings, [worker.url], clock)
    worker.learn(1_000_000, 0.1)
    worker.telemetry.observe_many(metrics.FRESHNESS, [9.0] * 500)
    assert live.poll().point.events_per_s == 0.0
    clock.now += 2.0
    worker.learn(5000, 0.4)
    worker.telemetry.observe_many(metrics.FRESHNESS, [0.0045] * 98 + [0.018] * 2)
    worker.telemetry.set(metrics.LAG, 7, topic="interactions", partition="0")
    snapshot = live.poll()
    live.close()
    assert snapshot.point.events_per_s == 2500.0
    assert 3 < snapshot.point.freshness_p50_ms < 5
    assert 15 < snapshot.point.freshness_p99_ms < 20
    assert (snapshot.point.lag, snapshot.point.hr_at_10) == (7.0, 0.4)
    assert snapshot.point.popularity_hr_at_10 == 0.1
    assert snapshot.freshness_ms(0.5) > 1000
    assert snapshot.outcome("learned") == 1_005_000


def test_several_workers_are_added_up_and_their_ratios_weighed(settings: Settings) -> None:
    one, two = Worker(), Worker()
    with one.endpoint, two.endpoint:
        one.learn(300, 0.4)
        two.learn(100, 0.2, topic="interactions-rekeyed")
        live = Live(settings, [one.url, two.url])
        snapshot = live.poll()
        live.close()
    assert snapshot.workers == 2
    assert snapshot.outcome("learned") == 400
    assert snapshot.consumed() == 300
    assert snapshot.quality("hr_at_10") == pytest.approx(0.35)


def test_without_a_worker_it_waits_and_says_where(settings: Settings) -> None:
    live = Live(settings, ["127.0.0.1:1"])
    snapshot = live.poll()
    live.close()
    assert snapshot.problem == "waiting for a worker at http://127.0.0.1:1/metrics"
    assert math.isnan(snapshot.point.hr_at_10)
    assert "waiting for a worker" in watch.line(snapshot)


def test_without_redis_the_figures_still_come(worker: Worker) -> None:
    worker.learn(10, 0.5)
    live = Live(Settings(redis="redis://127.0.0.1:1/0"), [worker.url])
    snapshot = live.poll()
    live.close()
    assert "no Redis answers" in snapshot.problem
    assert snapshot.point.hr_at_10 == 0.5


def test_a_new_drift_is_marked_at_its_time(settings: Settings, worker: Worker) -> None:
    clock = Clock()
    live = Live(settings, [worker.url], clock)
    live.poll()
    worker.telemetry.count(metrics.DRIFTS, model="lists")
    clock.now += 1.0
    live.poll()
    clock.now += 1.0
    live.poll()
    live.close()
    assert list(live.marks) == [1001.0]
    assert [point.drifted for point in live.history] == [False, True, False]


def test_the_same_users_are_followed_while_their_lists_change(
    settings: Settings, store: redis.Redis, worker: Worker
) -> None:
    for n in range(10):
        put(store, settings, f"user{n}", n, "tea")
    live = Live(settings, [worker.url])
    first = [answer.user for answer in live.poll().lists]
    for n in range(10, 20):
        put(store, settings, f"user{n}", n, "tea")
    put(store, settings, "user9", 30, "jam")
    snapshot = live.poll()
    assert first == [answer.user for answer in snapshot.lists] == ["user9", "user8", "user7"]
    assert snapshot.lists[0].items[0].item == "jam"
    for n in range(31, 45):
        put(store, settings, "user9", n, "jam")
        followed = [answer.user for answer in live.poll().lists]
    live.close()
    assert "user9" in followed
    assert "user8" not in followed
    assert len(followed) == 3


def test_the_view_shows_figures_lists_and_what_is_new(
    settings: Settings, store: redis.Redis, worker: Worker
) -> None:
    put(store, settings, "ann", 1, "tea")
    worker.learn(1234, 0.5)
    live = Live(settings, [worker.url])
    before = live.poll().lists
    put(store, settings, "ann", 2, "jam[x]", "tea")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(watch.view("A simulated shop", live, live.poll(), before, 120))
    live.close()
    text = console.export_text()
    for part in (
        "A simulated shop",
        "1,234",
        "0.500",
        "0.125",
        "ann · version 2",
        "jam[x]",
        "popular now",
    ):
        assert part in text


def test_a_terminal_of_80_by_24_has_room_for_reasons_and_weights(
    settings: Settings, store: redis.Redis, worker: Worker
) -> None:
    items = [f"pillow-{n:02}" for n in range(20)]
    for n in range(3):
        put(store, settings, f"user{n}", n, *items, because="with i3 that you chose")
    worker.learn(123_456, 0.5)
    worker.weigh(metrics.EVERYBODY, recent=0.04, popularity=0.5, co_occurrence=0.25)
    worker.weigh(metrics.EVERYBODY, transitions=0.11, neighbours=0.1)
    worker.weigh(f"{metrics.HISTORY}:0", popularity=1.0)
    live = Live(settings, [worker.url, "127.0.0.1:1"])
    live.poll()
    worker.telemetry.count(metrics.DRIFTS, model="lists")
    console = Console(width=80, record=True, file=io.StringIO())
    for _ in range(70):
        snapshot = live.poll()
    console.print(watch.view("A simulated shop", live, snapshot, snapshot.lists, console.width))
    live.close()
    text = console.export_text()
    assert len(text.splitlines()) <= 24
    assert text.count("pillow-00  with i3 that you chose") == 2
    cells = re.findall(r"(\w+) ([▁-█]) (\d+) %", text)
    assert cells == [
        ("popularity", "█", "50"),
        ("co_occurrence", "▅", "25"),
        ("transitions", "▂", "11"),
        ("neighbours", "▂", "10"),
        ("recent", "▁", "4"),
    ]


def test_where_there_is_no_terminal_the_view_comes_at_the_end(
    settings: Settings, store: redis.Redis, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    put(store, settings, "ann", 1, "tea")
    worker.weigh(metrics.EVERYBODY, popularity=1.0)
    live = Live(settings, [worker.url])
    watch.watch(live, lambda: "A simulated shop", lambda _: True)
    live.close()
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("events/s 0, learned 0")
    assert "A simulated shop" in rest[0]
    assert any("popularity █ 100 %" in line for line in rest)
    assert any("tea  popular now" in line for line in rest)


def test_weights_of_zero_are_none(settings: Settings, worker: Worker) -> None:
    worker.weigh(metrics.EVERYBODY, popularity=0.0, recent=0.0)
    worker.weigh(f"{metrics.HISTORY}:1", popularity=0.25, recent=0.75)
    live = Live(settings, [worker.url])
    snapshot = live.poll()
    live.close()
    assert snapshot.weights() == {"history:1": {"popularity": 0.25, "recent": 0.75}}


def test_a_counter_that_fell_is_a_restart() -> None:
    assert since({1.0: 2.0}, {1.0: 5.0}) == {1.0: 2.0}
    assert since({1.0: 7.0}, {1.0: 5.0}) == {1.0: 2.0}


def test_quantiles_are_those_prometheus_would_give() -> None:
    buckets = {1.0: 0.0, 2.0: 10.0, 4.0: 20.0, math.inf: 20.0}
    assert (quantile(0.25, buckets), quantile(0.75, buckets)) == (1.5, 3.0)
    assert quantile(0.99, {1.0: 0.0, math.inf: 5.0}) == 1.0
    assert math.isnan(quantile(0.5, {}))


def test_no_samples_are_zero() -> None:
    assert Samples().total(metrics.DRIFTS) == 0


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("host:1", "http://host:1/metrics"),
        ("http://host:1", "http://host:1/metrics"),
        ("https://host/x/metrics", "https://host/x/metrics"),
    ],
)
def test_a_url_may_leave_out_what_is_always_the_same(given: str, url: str) -> None:
    assert metrics_url(given) == url
