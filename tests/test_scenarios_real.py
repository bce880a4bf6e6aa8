"""A reader looks for a scenario's list in vain, and it is there; also after a worker was killed."""

import json
import signal
from pathlib import Path
from typing import Any

import msgspec
import redis

from contracts import keys
from contracts.settings import Settings
from state.answers import Answers
from tests.producers_world import START, Event, World, groups
from tests.test_hiding_real import say
from tests.test_orders_real import all_committed, quick, send

__all__ = ["quick"]

TOML = """
[scenarios.kitchen]
length = 5
where.room.any_of = ["kitchen"]
pins.one = { where.room.any_of = ["kitchen"], places = [2] }
"""
KITCHEN = {f"i{k}" for k in range(10, 25)}


def test_a_list_is_made_for_who_looks_for_it(quick: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")
    settings = msgspec.structs.replace(quick, pipeline=str(file))
    one, two = World(settings, tmp_path / "one"), World(settings, tmp_path / "two")
    first, *_ = groups(seed=41)
    user = first[0].user
    key = keys.REC_OF.at(settings.key_prefix, user=user, scenario="kitchen")
    for item in KITCHEN:
        say(one, item, {"attributes": {"room": ["kitchen", "hall"]}})
    with redis.Redis.from_url(settings.redis) as client:

        def found() -> Any:
            return json.loads(client.get(key) or b"{}")

        with one.worker() as killed:
            send(one, first)
            one.until(lambda: all_committed(one))
            one.until(lambda: len(found().get("items", [])) == 5)
            assert {entry["item"] for entry in found()["items"]} <= KITCHEN
            assert found()["items"][1]["because"] == "pinned here"
            assert 0 < client.ttl(key) <= settings.scenario_age_s
            killed.send(signal.SIGKILL)
        before = found()["version"]
        with two.worker():
            hidden = found()["items"][0]["item"]
            say(two, hidden, {"hidden": True})
            two.until(lambda: hidden not in {entry["item"] for entry in found()["items"]})
            send(two, [again(user)])
            two.until(lambda: found()["version"] > before)
            with Answers(settings) as answers:
                shown = {entry.item for entry in answers.recommend(user, "kitchen").items}
                assert shown
                assert shown <= KITCHEN - {hidden}


def again(user: str) -> Event:
    """Return one more event of a user."""
    body = {"event_id": "again", "user": user, "item": "i3", "action": "view", "ts": START + 900}
    return Event(user, "i3", json.dumps(body))
