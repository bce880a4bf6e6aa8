"""Whatever comes, a partition lives on, its counts add up and its memory stays flat.

`HEADWATER_HOSTILE=1000000` tries more messages than `make test` does.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import metrics
from contracts.metrics import Metric
from contracts.settings import Settings
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import MAX_BATCH, NoTelemetry
from tests.learners_kit import dangling
from tests.mutator import NOW, Mutator
from tests.streams_kit import batch, parse, publish, record, run

MESSAGES = int(os.environ.get("HEADWATER_HOSTILE", "60000"))
WARM = 20_000  # until then every bounded thing has filled up
MORE_MB = 24  # that the process may grow by afterwards, however many messages come
SMALL = Settings(partitions=2, items_capacity=500, users_capacity=400, duplicates_window=1_000)
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class World(NoTelemetry):
    """One partition, whose answers are read and whose outcomes are counted."""

    def __init__(self, config: Settings) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.answers = 0
        self.unit = Interactions(config, self, self.read, self.read)
        self.shard: InteractionsShard = self.unit.open(0)

    def count(self, metric: Metric, n: float = 1, **labels: object) -> None:
        """Keep what became of the messages."""
        if metric is metrics.EVENTS:
            self.outcomes[str(labels["outcome"])] += int(n)
        elif metric is metrics.DEAD_LETTERS:
            self.reasons[str(labels["reason"])] += int(n)

    async def read(self, commands: list[bytes]) -> None:
        """Read every answer as a client would."""
        for command in commands:
            value = msgspec.json.decode(parse(command)[2])
            names = [entry["item"] for entry in value["items"]]
            assert len(set(names)) == len(names)
            assert all(0.0 <= entry["score"] <= 2.0 for entry in value["items"])
            self.answers += 1

    def take(self, some: Any) -> None:
        """Handle a batch."""
        effects = self.shard.handle(some)
        self.messages.update(m.topic for m in effects.messages)
        publish(effects)

    def came_out(self) -> int:
        """Return how many messages are accounted for."""
        kinds = ("learned", "duplicate", "dead_letter", "rekeyed")
        return sum(self.outcomes[kind] for kind in kinds)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


def test_a_flood_of_damaged_messages_is_survived_counted_and_forgotten() -> None:
    world, mutator, warm = World(SMALL), Mutator(seed=2024), 0.0
    for first in range(0, MESSAGES, MAX_BATCH):
        rekeyed = first // MAX_BATCH % 4 == 3
        n = min(MAX_BATCH, MESSAGES - first)
        drawn = [mutator.message() for _ in range(n)]
        records = [
            record(v, first + k, h if rekeyed else (), NOW) for k, (v, h) in enumerate(drawn)
        ]
        world.take(batch(records, rekeyed))
        if first % 5_000 == 0:
            run(world.unit.tick())
            assert dangling(world.unit.model) == []
        if first == WARM:
            warm = resident_mb()
    assert resident_mb() - warm < MORE_MB or MESSAGES <= WARM
    assert world.came_out() == MESSAGES
    assert world.outcomes["learned"] == world.shard.learned
    assert world.outcomes["dead_letter"] == world.messages["dead-letters"]
    assert world.outcomes["rekeyed"] == world.messages["interactions-rekeyed"]
    for array in world.unit.model.world.items:
        assert np.isfinite(array).all()
    assert len(world.shard._intake._mine) <= MAX_BATCH
    saved = world.shard.dump()
    assert len(saved["intake"]) < 400_000
    if MESSAGES >= WARM:
        check_variety(world)


def check_variety(world: World) -> None:
    """The flood must have tried everything, or it shows nothing."""
    assert all(world.outcomes[o] > 200 for o in ("learned", "duplicate", "rekeyed", "late"))
    tried = {reason for reason, n in world.reasons.items() if n > 5}
    assert tried >= {
        "null_value", "too_large", "not_utf8", "not_json", "not_object", "missing_field",
        "wrong_type", "empty_id", "long_id", "ts_in_milliseconds", "ts_in_future", "ts_too_old",
        "no_origin",
    }  # fmt: skip
    assert world.unit.model.ids.evicted > 1_000
    assert world.shard.users.ids.evicted > 100
    assert world.answers > 1_000


def test_the_same_seed_gives_the_same_messages() -> None:
    one, two, other = (Mutator(seed) for seed in (5, 5, 6))
    first = [one.message() for _ in range(500)]
    assert first == [two.message() for _ in range(500)]
    assert first != [other.message() for _ in range(500)]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
ID = st.text(min_size=1, max_size=300) | st.integers()
SHAPES = st.fixed_dictionaries(
    {},
    optional={
        "event_id": ID | JSON,
        "user": ID | JSON,
        "item": ID | JSON,
        "action": st.just("view") | JSON,
        "ts": st.floats(NOW - 1e9, NOW + 2e5) | st.floats(allow_nan=False) | JSON,
        "value": st.none() | st.floats(allow_nan=False) | JSON,
        "session": ID | JSON,
        "context": st.dictionaries(st.text(max_size=5), JSON, max_size=3) | JSON,
        "unknown": JSON,
    },
)
VALUES = (
    st.none() | st.binary(max_size=60) | JSON.map(dump := msgspec.json.encode) | SHAPES.map(dump)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES, max_size=30), st.booleans())
def test_any_shape_is_taken_or_dead_and_counted(values: list[bytes | None], rekeyed: bool) -> None:
    world = World(Settings(partitions=1, items_capacity=3, users_capacity=3))
    headers = [("origin", b"0:1")]
    world.take(batch([record(v, n, headers) for n, v in enumerate(values)], rekeyed))
    assert world.came_out() == len(values)
    assert world.shard.learned == world.outcomes["learned"]
    assert dangling(world.unit.model) == []
