"""One piece of work at a time, also where a cancellation is swallowed."""

import asyncio

from streams.worker.alone import Alone


class Stubborn:
    """Work that passes over its first cancellation, as an answer that comes just then does."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.done: list[str] = []

    async def work(self, name: str) -> None:
        """Be inside for a while."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)
            self.done.append(name)
        finally:
            self.inside -= 1


def test_the_next_begins_when_the_one_before_has_ended_and_passes_by_one_that_waits() -> None:
    async def go() -> Stubborn:
        alone, stubborn = Alone(), Stubborn()
        alone.start(lambda: stubborn.work("first"))
        await asyncio.sleep(0.01)
        alone.start(lambda: stubborn.work("second"))
        await asyncio.sleep(0.01)
        await alone.start(lambda: stubborn.work("third"))
        return stubborn

    stubborn = asyncio.run(go())
    assert (stubborn.most, stubborn.done[-1]) == (1, "third")
    assert "second" not in stubborn.done


def test_the_end_waits_until_nothing_is_under_way() -> None:
    async def go() -> int:
        alone, stubborn = Alone(), Stubborn()
        alone.start(lambda: stubborn.work("first"))
        await asyncio.sleep(0.01)
        await alone.end()
        return stubborn.inside

    assert asyncio.run(go()) == 0
