"""A real worker: what `items` and `users` say makes groups, and floors are kept in Redis."""

import json
from pathlib import Path
from typing import Any

import msgspec
import redis
from confluent_kafka import Producer

from contracts import keys, metrics
from contracts.settings import Settings
from serving.scrape import Samples, scrape
from tests.producers_world import World, groups
from tests.test_floors import kept
from tests.test_hiding_real import say
from tests.test_orders_real import all_committed, quick, send

__all__ = ["quick"]

TOML = """
[groups.maker]
floors.small = 0.3

[groups.age]
of = "users"
"""
SMALL = {f"i{k}" for k in range(20, 30)}


def tell(world: World, user: str, attributes: dict[str, Any]) -> None:
    """Say what somebody is."""
    producer = Producer({"bootstrap.servers": world.settings.kafka})
    body = json.dumps({"user": user, "attributes": attributes})
    producer.produce(f"{world.settings.topic_prefix}users", body, user)
    assert producer.flush(30) == 0


def test_groups_are_told_apart_and_floors_kept(quick: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")
    world = World(msgspec.structs.replace(quick, pipeline=str(file)), tmp_path / "one")
    first, second, *_ = groups(seed=47)
    for item in SMALL:
        say(world, item, {"attributes": {"maker": "small"}})
    tell(world, second[0].user, {"age": 30})
    url = f"http://127.0.0.1:{world.settings.metrics_port}/metrics"

    def known(metric: metrics.Metric, **labels: str) -> set[str]:
        return set((scrape(url) or Samples()).by(metric, "group", **labels))

    with world.worker(), redis.Redis.from_url(quick.redis) as client:
        send(world, first)
        world.until(lambda: all_committed(world))
        send(world, second)
        world.until(lambda: all_committed(world))
        world.until(lambda: known(metrics.GROUP_HITS, grouping="age") == {"30", "none"})
        world.until(lambda: known(metrics.GROUP_SHARE, of="places") == {"small", "none"})
        world.until(lambda: (scrape(url) or Samples()).has(metrics.FLOOR_HITS, list="given"))
        for user in {event.user for event in second}:
            value = json.loads(client.get(keys.REC.at(quick.key_prefix, user=user)) or b"{}")
            assert kept([entry["item"] for entry in value["items"]], SMALL, 0.3)
