"""While state is copied nothing is folded, and the loop goes on."""

import asyncio
import threading

import pytest

from streams.worker.standstill import Standstill


def test_who_changes_state_waits_for_the_copy_and_the_loop_does_not() -> None:
    async def work() -> list[str]:
        still, taken, said = Standstill(), threading.Event(), list[str]()

        async def fold() -> None:
            await still.over()
            said.append("folded")

        copying = asyncio.create_task(still.during(lambda: taken.wait(10.0)))
        await asyncio.sleep(0)
        folding = asyncio.create_task(fold())
        for _ in range(3):
            await asyncio.sleep(0.01)
        said.append("the loop goes on")
        taken.set()
        assert await copying
        await folding
        return said

    assert asyncio.run(work()) == ["the loop goes on", "folded"]


def test_a_copy_whose_asker_is_cancelled_is_waited_for() -> None:
    async def work() -> list[str]:
        still, taken, said = Standstill(), threading.Event(), list[str]()

        def copy() -> None:
            taken.wait(10.0)
            said.append("copied")

        copying = asyncio.create_task(still.during(copy))
        await asyncio.sleep(0.01)
        copying.cancel()
        await asyncio.sleep(0.01)
        folding = asyncio.create_task(still.over())
        await asyncio.sleep(0.01)
        assert not folding.done()
        taken.set()
        await folding
        with pytest.raises(asyncio.CancelledError):
            await copying
        return [*said, "folded"]

    assert asyncio.run(work()) == ["copied", "folded"]


def test_a_copy_that_follows_another_at_once_is_waited_for_too() -> None:
    async def work() -> list[str]:
        still, said = Standstill(), list[str]()
        first, second = threading.Event(), threading.Event()

        async def save() -> None:
            await still.during(lambda: first.wait(10.0))
            await still.during(lambda: second.wait(10.0))  # no other task has run in between
            said.append("copied twice")

        async def fold() -> None:
            await still.over()
            said.append("folded")

        tasks = [asyncio.create_task(save())]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(fold()))
        await asyncio.sleep(0.01)
        first.set()
        await asyncio.sleep(0.01)
        second.set()
        await asyncio.gather(*tasks)
        return said

    assert asyncio.run(work()) == ["copied twice", "folded"]


def test_a_copy_that_fails_holds_nobody_up() -> None:
    async def work() -> None:
        still = Standstill()
        with pytest.raises(ZeroDivisionError):
            await still.during(lambda: 1 / 0)
        await asyncio.wait_for(still.over(), 1.0)

    asyncio.run(work())
