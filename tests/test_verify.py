"""`headwater snapshot verify` finds what is wrong, and says when it cannot tell."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, TopicPartition

from contracts import exits
from contracts.control import FREEZE, RESET, THAW
from contracts.settings import Settings
from headwater import orders
from state.opened import opened
from state.snapshots import Draft
from streams.control import giving
from streams.worker.loader import SHARED
from tests.backup_kit import command, learned, of, send
from tests.producers_world import World, groups

ARGS = argparse.Namespace(who="ann", why="a test", no_wait=False)
EVENTS = len(groups()[0])


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    return of(settings, tmp_path, 1)


def verified(world: World, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Return the exit code, and by part what was found."""
    capsys.readouterr()
    code = command(world.settings, "snapshot", "verify", "--json")
    report = json.loads(capsys.readouterr().out)
    return code, report | {f["part"]: f["outcome"] for f in report["findings"]}


def resave(settings: Settings, name: str, back: int) -> None:
    """Save a state once more, as if it had come less far: the bug that the log brings to light."""

    async def work() -> None:
        async with opened(settings) as store:
            newest = (await store.all(name))[0]
            parts = await store.load(name, newest)
            offsets = {
                t: {p: max(0, at - back) for p, at in of.items()}
                for t, of in newest.offsets.items()
            }
            await store.storage.forget(name)
            epoch = (await store.storage.epochs([name]))[0] if newest.epoch else None
            draft = Draft(parts, offsets, newest.log, epoch, created=newest.created)
            await store.save(name, draft)

    asyncio.run(work())


def lose_before(settings: Settings, offset: int) -> None:
    """Let the log begin at an offset."""
    tp = TopicPartition(f"{settings.topic_prefix}interactions", 0)
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.delete_records({tp: offset})


@pytest.mark.long
def test_an_offset_saved_with_a_later_state_is_found(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    learned(world, 0)
    for name in ("0", SHARED):
        resave(world.settings, name, 5)
    code, found = verified(world, capsys)
    assert code == exits.UNVERIFIED.code
    assert {found[part] for part in ("users", "intake", "learned", "items")} == {"differs"}


@pytest.mark.long
def test_a_log_without_its_begin_is_folded_from_the_oldest_version_that_fits(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = msgspec.structs.replace(world.settings, snapshots_kept=50)
    world.settings = kept
    learned(world, 0, 1)
    lose_before(kept, EVENTS)
    code, found = verified(world, capsys)
    assert (code, found["equal"], found["items"]) == (0, True, "equal")
    assert found["begun_at"] < found["version"]


def test_without_begin_and_version_it_cannot_say(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    learned(world, 0)
    lose_before(world.settings, EVENTS)
    code, found = verified(world, capsys)
    assert (code, found["all"]) == (exits.UNVERIFIED.code, "cannot say")


def test_rekeyed_events_have_no_order_that_the_log_tells(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = of(settings, tmp_path, 2)
    producer = Producer({"bootstrap.servers": settings.kafka})
    events = groups()[0][:100]
    with world.worker():
        for half in (0, 50):  # re-keyed events of the first come before those of the second
            for n, event in enumerate(events[half : half + 50]):
                producer.produce(
                    f"{settings.topic_prefix}interactions", event.value, partition=n % 2
                )
            assert producer.flush(30) == 0
            world.until(lambda came=half + 50: world.came() >= came)  # type: ignore[misc]
    code, found = verified(world, capsys)
    assert (code, found["intake"]) == (exits.UNVERIFIED.code, "cannot say")
    assert {found[part] for part in ("learned", "counts of items", "popularity")} == {"equal"}


def test_orders_are_obeyed_where_the_worker_obeyed_them(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = of(settings, tmp_path, 2)
    given = [
        orders.draft(FREEZE),
        orders.draft(RESET, learner="co_occurrence"),
        orders.draft(THAW),
        giving.farewell(world.settings, groups()[0][0].user, exact=False),
    ]
    with world.worker():
        sent = 0
        for number, order in enumerate(given):
            sent += send(world.settings, number)
            world.until(lambda n=sent: world.came() >= n)  # type: ignore[misc]
            assert len(list(orders.give(ARGS, world.settings, order))) > 1
    code, found = verified(world, capsys)
    assert (code, found["equal"]) == (0, True)


def test_no_version_is_a_mistake_that_is_named(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(world.settings, "snapshot", "verify") == exits.USAGE.code
    assert "see `headwater versions`" in capsys.readouterr().err
