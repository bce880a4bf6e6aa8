"""Guests become accounts: once, across partitions, whoever dies in between."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from faust.types import TP

from tests import saved_state
from tests.forget_world import PEOPLE
from tests.guests_world import FAR, GUEST, NEAR, Host, Inn, named, undisturbed
from tests.orders_world import A, B, Places, run
from tests.streams_kit import NOW


async def hosted(inn: Inn, **more: Any) -> Host:
    host = Host(inn, **more)
    await host.open(0, 1)
    return host


def hold_counts(host: Host, inn: Inn) -> None:
    """Hold that each item counts as often as it was chosen, by whomever."""
    chosen = Counter(item for item, _ in inn.chosen().elements())
    assert {i: n for i, n in saved_state.of(host.unit, NOW).seen.items() if n} == chosen


def logins(inn: Inn) -> list[Any]:
    return [msgspec.json.decode(r.value or b"") for r in inn.users]


@pytest.mark.parametrize("account", [NEAR, FAR])
def test_an_account_has_what_the_guest_did_and_its_next_list_knows(account: str) -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.crowd(40)
        inn.visit(account, 3)
        inn.visit(GUEST, 4)
        await host.settle()
        before = saved_state.of(host.unit, NOW)
        inn.login(GUEST, account)
        await host.settle()
        found = saved_state.of(host.unit, NOW)
        assert Counter(host.history(account)) == inn.chosen(account, GUEST)
        assert host.seen(account) >= {item for item, _ in inn.chosen(GUEST)}
        assert GUEST not in found.owner
        assert (found.seen, found.weight, found.near) == (before.seen, before.weight, before.near)
        assert found.learned == before.learned

    run(work)


def test_a_repeated_message_a_stranger_and_oneself_are_harmless() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.crowd(30)
        inn.visit(GUEST, 2)
        inn.visit(FAR, 2)
        inn.login(GUEST, FAR)
        inn.login("nobody", FAR)
        inn.login(FAR, FAR)
        inn.login(GUEST, FAR)
        await host.settle()
        once = host.history(FAR)
        again = Host(inn)
        await host.save()
        await again.open(0, 1)
        await again.settle()
        assert Counter(once) == inn.chosen(FAR, GUEST)
        assert again.history(FAR) == once
        handovers = [m for m in inn.moves() if m["what"] == "handover"]
        assert len(handovers) == 1
        hold_counts(again, inn)

    run(work)


def test_what_comes_later_under_the_guests_id_is_a_new_guest_whom_a_new_message_merges() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.visit(GUEST, 2)
        inn.login(GUEST, FAR)
        await host.settle()
        inn.visit(GUEST, 3)
        await host.settle()
        assert len(host.history(GUEST)) == 3
        assert len(host.history(FAR)) == 2
        inn.login(GUEST, FAR)
        await host.settle()
        assert host.history(GUEST) == []
        assert Counter(host.history(FAR)) == inn.chosen(GUEST)

    run(work)


def test_a_worker_that_dies_before_it_has_saved_hands_over_again_and_it_counts_once() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.visit(GUEST, 2)
        inn.login(GUEST, FAR)
        await host.settle()
        for _n in range(2):
            host = await hosted(inn)
            await host.settle()
        assert len([m for m in inn.moves() if m["what"] == "handover"]) == 3
        assert Counter(host.history(FAR)) == inn.chosen(GUEST)

    run(work)


@pytest.mark.parametrize("late", [False, True])
def test_a_guests_guest_comes_along(late: bool) -> None:
    """The second message may be done before the first one has come to where it was."""
    first, second = named("guest", 0, 1)[0], named("account", 1, 2)[1]
    last = named("member", 0, 1)[0]

    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.visit(first, 2)
        inn.login(first, second)
        inn.login(second, last)
        if late:
            await host.fetch(0, 9)
            await host.hear()
            await host.fetch(1, 9)
        await host.settle()
        assert Counter(host.history(last)) == inn.chosen(first)
        assert set(saved_state.of(host.unit, NOW).owner) == {last}
        assert saved_state.of(undisturbed(inn), NOW).history == {
            last: [item for item, _ in reversed(host.history(last))]
        }

    run(work)


def test_events_that_came_to_the_wrong_partition_are_the_guests_too() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        for _n in range(3):
            inn.stray(GUEST)
        inn.login(GUEST, FAR)
        await host.hear()
        assert inn.moves() == []
        await host.fetch(0, 9)
        await host.hear()
        assert inn.moves() == []
        await host.settle()
        assert Counter(host.history(FAR)) == inn.chosen(GUEST)
        assert any(b"merge" in (r.value or b"") for r in inn.logs[TP(B, 0)])

    run(work)


def test_who_was_sent_on_before_a_reload_is_waited_for() -> None:
    """The snapshot that is loaded has the event behind it, and the message was read before."""

    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.stray(GUEST)
        inn.login(GUEST, FAR)
        await host.hear()
        await host.fetch(1, 9)
        await host.save()
        host.reload(host.unit)
        await host.open(0, 1)
        await host.hear()
        assert inn.moves() == []
        await host.settle()
        assert Counter(host.history(FAR)) == inn.chosen(GUEST)

    run(work)


def test_what_cannot_be_used_is_a_dead_letter_and_holds_nobody_up() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.visit(GUEST)
        for value in (b"{", {"merge_from": GUEST}, {"user": FAR, "merge_from": []}, {"user": ""}):
            inn.says(value)
        inn.says({"user": FAR, "attributes": {"country": "at"}})
        inn.login(7, FAR)
        inn.login(GUEST, FAR)
        await host.settle()
        reasons = [why.reason for _, why in host.dead]
        assert reasons == ["not_json", "missing_field", "wrong_type", "empty_id"]
        assert Counter(host.history(FAR)) == inn.chosen(GUEST)

    run(work)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_between_each_event_counts_once(seed: int) -> None:
    guests = [*named("guest", 0, 4), *named("guest", 1, 4)]
    accounts = [*named("account", 0, 2), *named("account", 1, 2)]

    async def work(_: Places) -> None:
        inn, dice = Inn(seed), random.Random(seed)  # noqa: S311 - no secret
        host, strays = await hosted(inn), set(guests[::3])
        for _step in range(150):
            what = dice.random()
            if what < 0.3:
                user = dice.choice([*guests, *accounts, *PEOPLE])
                (inn.stray if user in strays else inn.visit)(user)
            elif what < 0.4:
                others = [*accounts, *set(guests).difference(strays if seed % 2 else ())]
                inn.login(dice.choice(guests), dice.choice(sorted(others)))
            elif what < 0.7:
                await host.fetch(dice.randrange(2), dice.randrange(1, 9), dice.choice([A, A, B]))
            elif what < 0.8:
                await host.hear()
            elif what < 0.9:
                await host.save() if not host.deaf else None
            elif what < 0.93:
                host.deaf = True
            else:
                host = await hosted(inn)
        host = await hosted(inn)
        await host.settle()
        hold_counts(host, inn)
        everybody = [*guests, *accounts]
        held: Counter[Any] = sum((Counter(host.history(u)) for u in everybody), Counter())
        assert held == inn.chosen(*everybody)
        if not any(login["user"] in strays for login in logins(inn)):
            found, fold = (saved_state.of(u, NOW) for u in (host.unit, undisturbed(inn)))
            assert found.history == fold.history

    run(work)


def test_pasts_stay_in_order_when_they_are_put_together() -> None:
    async def work(_: Places) -> None:
        inn = Inn()
        host = await hosted(inn)
        inn.visit(FAR, 2)
        inn.visit(GUEST, 3)
        inn.login(GUEST, FAR)
        await host.settle()
        times = [ts for _, ts in host.history(FAR)]
        assert all(a < b for a, b in pairwise(times))

    run(work)
