"""Items that nobody has chosen reach readers through Kafka and Redis, also of the next worker."""

import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from contracts.settings import Settings
from state.answers import Answers, Entry
from tests.producers_world import ITEMS, World, groups
from tests.test_hiding_real import say
from tests.test_orders_real import all_committed, quick, send

__all__ = ["quick"]

TOML = """
generators.content = true
exploration.share = 0.25
"""
NEW = {f"new {k}" for k in range(12)}


def test_new_items_are_listed_and_leave(quick: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")
    settings = msgspec.structs.replace(quick, pipeline=str(file))
    one, two = World(settings, tmp_path / "one"), World(settings, tmp_path / "two")
    first, second, *_ = groups(seed=42)
    users = sorted({event.user for event in first + second})
    for n, item in enumerate([*(f"i{k}" for k in range(ITEMS)), *sorted(NEW)]):
        say(one, item, {"attributes": {"room": f"room {n % 3}"}})
    with Answers(settings) as answers:

        def listed() -> Sequence[Entry]:
            return [entry for user in users for entry in answers.recommend(user).items]

        def new() -> set[str]:
            return {entry.item for entry in listed()} & NEW

        with one.worker() as killed:
            send(one, first)
            one.until(lambda: all_committed(one))
            one.until(lambda: bool(new()))
            assert any(entry.explored > 0.0 for entry in listed())
            killed.send(signal.SIGKILL)
        gone = min(new())
        with two.worker():
            say(two, gone, {"hidden": True})
            two.until(lambda: gone not in new())
            send(two, second)
            two.until(lambda: all_committed(two))
            assert new() <= NEW - {gone}
            two.until(lambda: bool(new()))
