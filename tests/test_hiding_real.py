"""Hidden, shown, expired, removed: in every answer of two real workers, one of which is killed."""

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import Producer

from contracts.settings import Settings
from tests.producers_world import World, groups
from tests.test_orders_real import all_committed, quick, send
from tests.test_worker_poison import letters

__all__ = ["quick"]


def say(world: World, item: str, value: dict[str, Any] | None) -> None:
    """Tell the catalogue about an item."""
    producer = Producer({"bootstrap.servers": world.settings.kafka})
    body = None if value is None else json.dumps({"item": item, **value})
    producer.produce(f"{world.settings.topic_prefix}items", body, item)
    assert producer.flush(30) == 0


def shown(settings: Settings) -> Counter[str]:
    """Return on how many answers each item stands."""
    found = Counter[str]()
    with redis.Redis.from_url(settings.redis) as client:
        for kind in ("rec:*", "sim:*", "top"):
            for key in client.scan_iter(f"{settings.key_prefix}{kind}", count=1_000):
                value = json.loads(client.get(key) or b'{"items": []}')
                found.update(entry["item"] for entry in value["items"])
    return found


def test_what_may_not_be_shown_is_nowhere_whoever_dies(quick: Settings, tmp_path: Path) -> None:
    one, two = World(quick, tmp_path / "one"), World(quick, tmp_path / "two")
    first, second, third, _ = groups(seed=31)

    def gone(*items: str) -> bool:
        found = shown(quick)
        return not any(found[item] for item in items)

    with one.worker() as left:
        with two.worker() as killed:
            send(one, first)
            one.until(lambda: all_committed(one))
            one.until(lambda: shown(quick)["i0"] > 20)
            say(one, "i0", {"hidden": True})
            one.until(lambda: gone("i0"))
            say(one, "i1", {"attributes": {"available_until": time.time() + 1.0}})
            one.until(lambda: gone("i0", "i1"))
            killed.send(signal.SIGKILL)
        say(one, "i2", {"hidden": True})
        send(one, second)
        one.until(lambda: all_committed(one))
        one.until(lambda: gone("i0", "i1", "i2"))
        say(one, "i0", {"hidden": False})
        one.until(lambda: shown(quick)["i0"] > 20)
        say(one, "i0", None)
        one.until(lambda: gone("i0", "i1", "i2"))
        say(one, "i3", {"hidden": "perhaps"})
        one.until(lambda: "items" in {letter["topic"] for letter in letters(quick)})
        assert left.alive
    say(one, "i4", {"hidden": True})  # nobody works meanwhile
    with two.worker():
        two.until(lambda: gone("i0", "i1", "i2", "i4"))
        send(two, third)
        two.until(lambda: all_committed(two))
        two.until(lambda: shown(quick)["i5"] > 20)
        assert gone("i0", "i1", "i2", "i4")
