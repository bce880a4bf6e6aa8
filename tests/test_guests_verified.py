"""What was saved of guests who became accounts is what the log says."""

import pytest

from tests.forget_world import HOME, TWO
from tests.guests_world import FAR, GUEST, NEAR, Host, Inn, named
from tests.hindsight_world import differing, looked_back
from tests.orders_world import Places, run


@pytest.mark.parametrize("dies", [False, True])
def test_a_state_with_accounts_that_were_guests_is_equal_to_the_log(dies: bool) -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = Host(inn)
        await host.open(0, 1)
        guests = [*named("guest", 0, 3), *named("guest", 1, 3)]
        for guest in guests:
            inn.crowd(10)
            inn.visit(guest, 2)
            inn.login(guest, FAR if HOME(guest) == 0 else NEAR)
            inn.visit(FAR)
            await host.settle()
        if dies:
            host = Host(inn)
            await host.open(0, 1)
        inn.login(FAR, GUEST)
        await host.settle()
        await host.save()
        report = await looked_back(host, inn, TWO)
        assert {f.part for f in report.findings} >= {"users", "guests", "counts of items"}
        assert differing(report) == []

    run(work)
