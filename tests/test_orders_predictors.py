"""Predictors obey orders: each for itself, at one place of both its topics, in every replay."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from contracts.control import Action
from tests.orders_world import Living
from tests.predictors_world import (
    ASKS,
    BOTH,
    TELLS,
    Desk,
    known,
    offline,
    row,
    truth,
    version,
    worker,
)


def at_a_desk(work: Callable[[Desk], Awaitable[Any]]) -> None:
    """Do some work at a desk of its own."""

    async def go() -> None:
        await work(Desk())

    asyncio.run(go())


async def taught(desk: Desk, n: int = 20) -> Living:
    """Return a worker whose predictors have both learned some labels."""
    living = worker(desk)
    await living.open(0)
    desk.teach("churn", n)
    desk.teach("fraud", n, seed=1)
    await living.settle()
    return living


async def outcomes(desk: Desk) -> list[str]:
    return [entry.outcome for entry in await desk.audit.all()]


def test_a_frozen_predictor_answers_and_is_judged_and_learns_nothing() -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        chance, learned, judged, _ = known(living)["churn"]
        desk.give("freeze", learner="churn")
        await living.settle()
        assert living.owned(0).frozen == {"churn"}
        desk.teach("churn", 5, wrong=True)
        desk.teach("fraud", 5)
        await living.settle()
        assert known(living)["churn"] == (chance, learned, judged + 5, [])
        assert known(living)["fraud"][1] == 25
        desk.give("thaw", learner="churn")
        await living.settle()
        desk.teach("churn", 5)
        await living.settle()
        assert known(living) == offline(desk)
        assert known(living)["churn"][1:3] == (25, 30)

    at_a_desk(work)


def test_after_a_reset_the_new_one_learns_from_what_waited_for_the_old_one() -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        x = row(random.Random(5))  # noqa: S311 - no secret
        waits = desk.ask("churn", x)
        await living.settle()
        before = known(living)["fraud"]
        desk.give("reset", learner="churn")
        await living.settle()
        assert known(living)["churn"] == (0.5, 0, 20, [waits])
        desk.tell("churn", waits, truth(x))
        await living.settle()
        assert known(living)["churn"][1:] == (1, 21, [])
        assert known(living)["fraud"] == before
        assert known(living) == offline(desk)

    at_a_desk(work)


@pytest.mark.parametrize("since", ["skip", "replay"])
def test_a_predictor_goes_back_and_the_other_one_stays(since: str) -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        good, before = await version(living, desk), known(living)
        x = row(random.Random(5))  # noqa: S311 - no secret
        waits = desk.ask("churn", x)
        desk.teach("churn", 9, wrong=True)
        desk.teach("fraud", 9)
        await living.settle()
        other = known(living)["fraud"]
        desk.give("rollback", learner="churn", version=good, since=since)
        await living.settle()
        assert await outcomes(desk) == ["done"]
        assert (known(living)["churn"][0] == before["churn"][0]) is (since == "skip")
        assert known(living)["churn"][1:] == (20 if since == "skip" else 29, 29, [waits])
        assert known(living)["fraud"] == other
        desk.tell("churn", waits, truth(x))
        await living.settle()
        assert known(living) == offline(desk)
        assert living.loader.returning == {}
        await living.save()
        heir = worker(desk)
        await heir.open(0)
        assert known(heir) == offline(desk)

    at_a_desk(work)


def test_what_a_fault_of_the_model_spoiled_is_learned_again() -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        good = await version(living, desk)
        desk.teach("churn", 9)
        await living.settle()
        shard: Any = living.owned(0).shard
        shard.predictors["churn"].learn({"price": 9e9}, True, shard.predictors["churn"].answer({}))
        assert known(living) != offline(desk)
        desk.give("rollback", learner="churn", version=good, since="replay")
        await living.deliver()
        await living.steward.look()
        await living.deliver()
        await living.steward.look()
        assert living.reopen
        heir = worker(desk)  # the worker dies on its way
        await heir.open(0)
        await heir.settle()
        assert known(heir) == offline(desk)
        assert await outcomes(desk) == ["done"]

    at_a_desk(work)


@pytest.mark.parametrize("since", ["skip", "replay"])
def test_a_version_that_does_not_know_the_predictor_is_refused_and_nothing_changes(
    since: str,
) -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        shard: Any = living.owned(0).shard
        later = shard.predictors.pop("churn")
        good = await version(living, desk)
        shard.predictors["churn"] = later
        before = known(living)
        desk.give("rollback", learner="churn", version=good, since=since)
        desk.give("rollback", learner="churn", version="yesterday", since=since)
        desk.give("reset", learner="the weather")
        await living.settle()
        assert await outcomes(desk) == [
            "refused: 'predictors:0' has no predictor 'churn', now or then",
            "refused: 'predictors:0' has no version 'yesterday'; see `headwater versions`",
            "refused: there is no 'the weather' here",
        ]
        assert known(living) == before

    at_a_desk(work)


def test_two_orders_whose_places_come_one_topic_after_the_other_hold_nobody_up() -> None:
    async def work(desk: Desk) -> None:
        living = await taught(desk)
        waits = desk.ask("churn", {"price": 1.0})
        await living.settle()
        desk.give("freeze", learner="churn")
        desk.tell("churn", waits, True)
        desk.give("thaw", learner="churn")
        desk.ask("churn", {"price": 2.0})
        await living.deliver()
        await living.fetch(0, 9, ASKS)  # dropped: the shard stands at the place of the first
        assert living.owned(0).held == {ASKS}
        for _ in range(2):  # it is marked, then obeyed, before any label is fetched
            await living.steward.look()
            await living.deliver()
        await living.settle()
        assert known(living) == offline(desk)
        assert living.owned(0).order is None

    at_a_desk(work)


class Chance:
    """One of the things that may happen, then the next."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.rng = desk, random.Random(seed)  # noqa: S311 - no secret
        self.living = worker(desk)

    async def step(self) -> None:
        """Let it happen."""
        did = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if self.living.reopen:
            await self.living.open(0)
        await getattr(self, f"_{did}")()

    async def _produce(self) -> None:
        desk, name = self.desk, self.rng.choice(BOTH)
        for _ in range(self.rng.randrange(4)):
            desk.ask(name, row(self.rng))
        for _ in range(self.rng.randrange(8)):
            desk.tell(name, self.rng.randrange(desk.ids + 1), self.rng.random() < 0.5)

    async def _order(self) -> None:
        action, about = self.rng.choice(ORDERS), {"learner": self.rng.choice(BOTH)}
        if action == "rollback":
            since = self.rng.choice(("skip", "replay"))
            about |= {"version": self.rng.choice([*self.desk.versions, "none"]), "since": since}
        self.desk.give(action, **about)

    async def _fetch(self) -> None:
        topic, most = self.rng.choice((ASKS, TELLS)), self.rng.randrange(1, 12)
        await asyncio.gather(self.living.fetch(0, most, topic), self.living.steward.look())

    async def _read(self) -> None:
        await self.living.deliver()
        await self.living.steward.look()

    async def _save(self) -> None:
        await version(self.living, self.desk)

    async def _die(self) -> None:
        self.living = worker(self.desk)
        await self.living.open(0)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_predictors_know_what_bare_loops_know(seed: int) -> None:
    async def work(desk: Desk) -> None:
        chance = Chance(desk, seed)
        await chance.living.open(0)
        for _ in range(300):
            await chance.step()
        living = chance.living
        await living.settle(400)
        assert known(living) == offline(desk)
        ends = {tp.topic: len(log) for tp, log in desk.logs.items()}
        assert {topic: living.owned(0).next[topic] for topic in ends} == ends
        names = [entry.name for entry in await desk.audit.all()]
        assert len(names) == desk.orders == len(set(names))
        assert not [said for said in await outcomes(desk) if "late" in said]

    at_a_desk(work)


WEIGHTS = {"produce": 20, "order": 3, "fetch": 40, "read": 20, "save": 5, "die": 2}
ORDERS: Sequence[Action] = ("freeze", "thaw", "reset", "rollback")
