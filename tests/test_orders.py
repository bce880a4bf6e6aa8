"""Orders are obeyed at one place of each log, whoever works, dies and replays."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contracts.control import Action, Control
from streams.shards import Message
from tests.orders_world import A, B, Living, Places, run


def offline(places: Places) -> Counter[str]:
    """Return the items as one fold of all logs has them, with the orders where the marks are."""
    marks, items = places.marks(), Counter[str]()
    orders = [said for said in map(places.seal.read, places.control) if said.action != "mark"]
    resets = [marks[order.id] for order in orders if order.action == "reset"]
    cleared: Mapping[int, int] = resets[-1] if resets else {}
    for (topic, partition), log in places.logs.items():
        if topic != A:
            continue
        for record in log[cleared.get(partition, 0) :]:
            before = [o for o in orders if record.offset >= marks.get(o.id, {}).get(partition, 1e9)]
            switched = [o.action for o in before if o.action in ("freeze", "thaw")]
            if switched[-1:] != ["freeze"]:
                items[(record.value or b"").decode()] += 1
    return items


def test_what_comes_while_frozen_is_remembered_of_people_and_not_learned_of_items() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        places.produce(0, "tea", 10)
        places.give("freeze")
        await worker.settle()
        places.produce(0, "jam", 10)
        await worker.settle()
        places.give("thaw")
        await worker.settle()
        places.produce(1, "oat", 5)
        await worker.settle()
        assert worker.unit.items == {"tea": 10, "oat": 5}
        shard: Any = worker.owned(0).shard
        assert shard.users["ann"] == 20

    run(work)


def test_an_order_holds_at_once_for_a_worker_that_has_nothing_to_do() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        order = places.give("freeze", who="ann", why="an incident")
        await worker.settle()
        found = [e for e in await places.audit.all() if e.id == order]
        assert [(e.partition, e.outcome, e.at[A], e.who, e.why) for e in found] == [
            (0, "done", 0, "ann", "an incident"),
            (1, "done", 0, "ann", "an incident"),
        ]

    run(work)


def test_what_was_sent_before_an_order_is_learned_although_it_is_read_later() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        places.produce(0, "tea", 30)
        places.give("freeze")
        await worker.deliver()
        places.produce(0, "jam", 30)
        await worker.settle()
        assert worker.unit.items == {"tea": 30}
        assert worker.owned(0).next[A] == 60

    run(work)


def test_who_comes_first_to_a_reset_waits_for_the_others() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        places.produce(0, "tea", 3)
        places.produce(1, "tea", 3)
        places.give("reset", learner="lists")
        await worker.deliver()
        places.produce(0, "jam", 9)
        for _ in range(4):
            await worker.fetch(0, 5)
            await worker.deliver()
            await worker.steward.look()
        assert worker.owned(0).next[A] == 3
        await worker.settle()
        assert worker.unit.items == {"jam": 9}

    run(work)


def test_an_order_that_was_obeyed_is_in_the_snapshot_though_no_event_came() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0, 1)
        places.produce(0, "tea", 3)
        await worker.settle()
        await worker.save()
        places.give("reset", learner="lists")
        await worker.settle()
        heir = Living(places)
        await heir.open(0, 1)
        assert heir.unit.items == {}
        assert heir.owned(0).order is None

    run(work)


def test_a_mark_that_was_written_and_not_obeyed_holds_for_the_next_worker() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0)
        places.produce(0, "tea", 10)
        await worker.settle()
        places.give("freeze")
        await worker.deliver()
        await worker.steward.look()  # the mark is written, and then the worker dies
        assert worker.owned(0).stands
        places.produce(0, "jam", 10)
        heir = Living(places)
        await heir.open(0)
        await heir.settle()
        assert (heir.unit.items, heir.owned(0).next[A]) == ({"tea": 10}, 20)
        assert [e.at[A] for e in await places.audit.all()] == [10]

    run(work, partitions=1)


def test_an_order_for_nobody_here_is_refused_and_the_audit_says_so() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0)
        places.give("reset", learner="the weather")
        await worker.settle()
        assert [e.outcome for e in await places.audit.all()] == [
            "refused: there is no 'the weather' here"
        ]
        places.produce(0, "tea", 2)
        await worker.settle()
        assert worker.unit.items == {"tea": 2}

    run(work, partitions=1)


def test_both_topics_of_a_shard_come_to_the_place_in_a_replay() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0)
        places.produce(0, "tea", 6)
        places.produce(0, "tea", 4, B)
        await worker.settle()
        places.give("freeze")
        await worker.settle()
        places.produce(0, "jam", 6)
        places.produce(0, "jam", 4, B)
        await worker.settle()
        places.storage.chunks.clear()  # everything is replayed
        heir = Living(places)
        await heir.open(0)
        await heir.fetch(0, 12)
        assert heir.owned(0).next[A] == 6
        await heir.settle()
        assert heir.unit.items == worker.unit.items == {"tea": 10}
        assert heir.owned(0).next == worker.owned(0).next

    run(work, partitions=1)


def test_what_is_no_order_becomes_one_dead_letter_and_changes_nothing() -> None:
    async def work(places: Places) -> None:
        worker = Living(places)
        await worker.open(0)
        places.write(Message("control", None, b"freeze!", 0))
        places.write(places.seal.sealed(Control("o", "freeze", {A: {7: 3}, "x": {0: 1}}, 0.0)))
        order = places.seal.sealed(Control("o1", "freeze", {A: {0: 0}}, 0.0))
        places.write(order._replace(value=(order.value or b"").replace(b"freeze", b"reset!")))
        places.produce(0, "tea", 5)
        await worker.settle()
        assert worker.unit.items == {"tea": 5}
        heir = Living(places)
        await heir.open(0)
        assert [dict(m.headers)["reason"] for m in places.letters] == [b"not_signed"] * 2
        assert await places.audit.all() == []

    run(work, partitions=1)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_state_is_that_of_one_fold(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret

    async def step(places: Places, worker: Living) -> Living:
        did = rng.choices(STEPS, WEIGHTS)[0]
        partition = rng.randrange(2)
        if did == "produce":
            places.produce(partition, rng.choice("abc"), rng.randrange(1, 9))
        elif did == "order":
            action = rng.choice(ORDERS)
            places.give(action, learner="lists" if action == "reset" else "")
        elif did == "fetch":
            work = [worker.fetch(partition, rng.randrange(1, 12)), worker.steward.look()]
            await asyncio.gather(*work)
        elif did == "read":
            await worker.deliver()
            await worker.steward.look()
        elif did == "save":
            await worker.save()
        else:
            worker = Living(places)
            await worker.open(0, 1)
        return worker

    async def work(places: Places) -> None:
        worker = await step_all(places)
        await worker.settle()
        assert worker.unit.items == offline(places)
        assert [worker.owned(p).next[A] for p in (0, 1)] == [
            len(places.logs[tp]) for tp in places.logs if tp.topic == A
        ]
        names = [entry.name for entry in await places.audit.all()]
        assert len(names) == 2 * places.orders == len(set(names))

    async def step_all(places: Places) -> Living:
        worker = Living(places)
        await worker.open(0, 1)
        for _ in range(300):
            worker = await step(places, worker)
        return worker

    run(work)


STEPS: Sequence[str] = ("produce", "order", "fetch", "read", "save", "die")
WEIGHTS: Sequence[int] = (20, 3, 40, 20, 5, 2)
ORDERS: Sequence[Action] = ("freeze", "thaw", "reset")
