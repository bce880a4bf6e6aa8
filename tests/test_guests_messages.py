"""What workers say of guests among events: done in order, known by its signature."""

from typing import Any

import msgspec
import pytest

from contracts.guests import SIGNATURE
from streams.interactions.unit import Interactions
from streams.shards import Batch, NoTelemetry, PlainRecord, send_nowhere
from tests.forget_world import PEOPLE, TWO
from tests.guests_world import FAR, GUEST, NEAR, Inn
from tests.orders_world import A, B
from tests.streams_kit import NOW, parse, publish


def recorded(message: Any, offset: int) -> PlainRecord:
    at = round(NOW * 1000)
    return PlainRecord(offset, at, message.value, message.key, message.headers)


def test_the_list_is_ranked_anew_and_the_guests_keys_are_deleted() -> None:
    settings = msgspec.structs.replace(TWO, partitions=1, predictors={"elec": "m:f"})
    sent, inn = list[bytes](), Inn()

    async def send(commands: list[bytes]) -> None:
        sent.extend(commands)

    shard = Interactions(settings, NoTelemetry(), send, send).open(0)
    events = [inn.record(user, n) for n, user in enumerate(["eve", "guest", "eve", "ann", "ann"])]
    shard.handle(Batch(A, 0, events))
    merge = shard.guests.merge(7, "guest", "ann")
    publish(shard.handle(Batch(A, 0, [recorded(merge, 5)])))
    gone, (verb, key, value, *_) = [parse(command) for command in sent]
    wanted = ["rec:guest", "segments:guest", "pred:elec:guest", "pending:elec:guest"]
    assert gone == [b"DEL", *(f"hw:{key}".encode() for key in wanted)]
    assert (verb, key) == (b"SET", b"hw:rec:ann")
    assert msgspec.json.decode(value)["items"]
    assert shard.holds("guest") == {}
    assert shard.guests.merged_until == 7


@pytest.mark.parametrize("cut", [1, 2, 500])
def test_how_batches_were_cut_changes_nothing(cut: int) -> None:
    settings = msgspec.structs.replace(TWO, partitions=1)
    states = []
    for size in (cut, 3):
        unit = Interactions(settings, NoTelemetry(), send_nowhere, send_nowhere)
        shard, inn = unit.open(0), Inn()
        users = [inn.random.choice(["ann", "guest", *PEOPLE]) for _ in range(60)]
        records = [inn.record(user, n) for n, user in enumerate(users)]
        moves = {20: (1, "guest", "ann"), 40: (2, "guest", "ann"), 41: (3, "ann", "eve")}
        for at, move in moves.items():
            records[at] = recorded(shard.guests.merge(*move), at)
        for at in range(0, len(records), size):
            shard.handle(Batch(A, 0, records[at : at + size]))
        states.append(unit.shared_dump() | shard.dump())
    assert states[0] == states[1]


def test_a_merge_that_was_written_twice_leaves_the_new_guest_alone() -> None:
    shard = Interactions(TWO, NoTelemetry(), send_nowhere, send_nowhere).open(0)
    inn = Inn()
    shard.handle(Batch(A, 0, [inn.record(GUEST, 0)]))
    merge = shard.guests.merge(5, GUEST, NEAR)
    shard.handle(Batch(A, 0, [recorded(merge, 1), inn.record(GUEST, 2), recorded(merge, 3)]))
    assert len(shard.holds(NEAR)["choices"]) == len(shard.holds(GUEST)["choices"]) == 1


def test_what_nobody_has_signed_is_a_dead_letter() -> None:
    shard = Interactions(TWO, NoTelemetry(), send_nowhere, send_nowhere).open(0)
    inn = Inn()
    shard.handle(Batch(A, 0, [inn.record(GUEST, 0)]))
    good = shard.guests.merge(1, GUEST, FAR)
    forged = [
        recorded(good, 1)._replace(headers=[(SIGNATURE, b"0" * 64)]),
        recorded(good, 2)._replace(headers=()),
        recorded(good, 3)._replace(value=(good.value or b"").replace(FAR.encode(), b"account-x")),
    ]
    effects = shard.handle(Batch(A, 0, forged))
    reasons = [msgspec.json.decode(m.value or b"")["reason"] for m in effects.messages]
    assert reasons == ["not_signed", "missing_field", "not_signed"]
    assert [m.topic for m in effects.messages] == ["dead-letters"] * 3
    copied = shard.handle(Batch(B, 0, [recorded(good, 1)]))
    assert msgspec.json.decode(copied.messages[0].value or b"")["reason"] == "not_signed"
    assert shard.holds(GUEST)
