"""People come from two countries, and strangers find the list of theirs, whoever was killed."""

import json
import signal
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Producer

from contracts.settings import Settings
from state.answers import SEGMENT, Answers
from tests.producers_world import START, Event, World
from tests.test_orders_real import all_committed, quick, send

__all__ = ["quick"]

LANDS = ["de", "fr"]


def visits(first: int, n: int) -> list[Event]:
    """Return first events of people, each of whom takes one of five items of their country."""
    return [_visit(k, LANDS[k % 2], f"{LANDS[k % 2]}-{k % 5}") for k in range(first, first + n)]


def _visit(k: int, land: str, item: str) -> Event:
    body = {"event_id": f"e{k}", "user": f"u{k}", "item": item, "action": "view", "ts": START + k}
    return Event(f"u{k}", item, json.dumps({**body, "context": {"country": land}}))


def tell(world: World, user: str, value: dict[str, Any] | None) -> None:
    """Say in `users` what is known of a person."""
    producer = Producer({"bootstrap.servers": world.settings.kafka})
    body = None if value is None else json.dumps({"user": user, **value})
    producer.produce(f"{world.settings.topic_prefix}users", body, user)
    assert producer.flush(30) == 0


def test_strangers_find_the_list_of_their_country(quick: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('segments.context = ["country"]\n', encoding="utf-8")
    settings = msgspec.structs.replace(quick, pipeline=str(file))
    one, two = World(settings, tmp_path / "one"), World(settings, tmp_path / "two")
    with Answers(settings) as answers:

        def found(user: str, *segments: str) -> tuple[str, set[str]]:
            answer = answers.recommend(user, segments=segments)
            lands = {entry.item.partition("-")[0] for entry in answer.items[:5]}
            return (answer.segment or answer.source, lands)

        with one.worker() as killed:
            send(one, visits(0, 600))
            one.until(lambda: all_committed(one))
            for land in LANDS:
                own = f"country={land}"
                one.until(lambda own=own, land=land: found("x", own) == (own, {land}))  # type: ignore[misc]
            killed.send(signal.SIGKILL)
        with two.worker():
            send(two, visits(600, 100))
            tell(two, "ann", {"attributes": {"country": "fr"}})
            two.until(lambda: found("ann") == ("country=fr", {"fr"}))
            assert answers.recommend("ann").source == SEGMENT
            tell(two, "ann", None)
            two.until(lambda: found("ann")[0] == "trending")
