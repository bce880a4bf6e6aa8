"""What is hidden is on nothing that is made, and is judged and learned as if it were not."""

import msgspec
import numpy as np
import pytest

from contracts.pipeline import Pipeline
from contracts.settings import Settings
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import NoTelemetry
from tests.streams_kit import Answers, batch, event, parse, publish, record, run

ONE = Settings(partitions=1, items_capacity=50, users_capacity=50, fresh_sample=1.0)
USERS, ITEMS = 9, 30
MIXTURE = Pipeline(head="mixture")


class Cutting(Answers):
    """A Redis that also notes what was to be cut: items by user."""

    def __init__(self) -> None:
        super().__init__()
        self.cut: dict[str, set[str]] = {}

    async def send(self, commands: list[bytes]) -> None:
        """Take commands as a Redis would."""
        words = [parse(command) for command in commands]
        for verb, *rest in words:
            if verb == b"EVALSHA":
                n = int(rest[1])
                items = [msgspec.json.decode(e[: -len(b',"score":')] + b"}") for e in rest[n + 3 :]]
                for key in rest[2 : n + 2]:
                    user = key.decode().rpartition(":")[2]
                    self.cut.setdefault(user, set()).update(i["item"] for i in items)
        plain = [c for c, (verb, *_) in zip(commands, words, strict=True) if verb == b"SET"]
        await super().send(plain)


def unit_of(settings: Settings = ONE) -> tuple[Interactions, InteractionsShard, Cutting]:
    answers = Cutting()
    unit = Interactions(settings, NoTelemetry(), answers.send, answers.send)
    return unit, unit.open(0), answers


def teach(shard: InteractionsShard, n: int, begin: int = 0) -> None:
    random = np.random.default_rng(begin)
    records = []
    for k in range(begin, begin + n):
        item = f"i{int(ITEMS * random.random() ** 2)}"
        records.append(record(event(k, user=f"u{k % USERS}", item=item), k))
    publish(shard.handle(batch(records)))


def shown(answers: Answers, prefix: str) -> set[str]:
    found = [answers.read(key) for key in answers.values if key.startswith(prefix)]
    return {entry["item"] for value in found for entry in value["items"]}


@pytest.mark.parametrize("pipeline", ["", f"{__name__}:MIXTURE", "tests.streams_kit:BLEND"])
def test_no_list_that_is_made_has_it_and_all_are_as_long_as_before(pipeline: str) -> None:
    unit, shard, answers = unit_of(msgspec.structs.replace(ONE, list_length=10, pipeline=pipeline))
    teach(shard, 400)
    answers.values.clear()
    unit.hide(frozenset({"i0", "i3", "nobody has chosen it"}))
    teach(shard, 100, 400)
    run(unit.tick())
    for kind in ("rec", "sim", "top"):
        assert shown(answers, f"hw:{kind}"), kind
        assert not shown(answers, f"hw:{kind}") & {"i0", "i3"}, kind
    lists = [answers.read(key) for key in answers.values if key.startswith("hw:rec")]
    assert {len(found["items"]) for found in lists} == {10}
    unit.hide(frozenset())
    teach(shard, 100, 500)
    assert {"i0", "i3"} <= shown(answers, "hw:rec")


def test_nothing_that_is_learned_or_judged_knows_of_it() -> None:
    plain, plain_shard, _ = unit_of()
    unit, shard, _ = unit_of()
    for begin in range(0, 600, 100):
        teach(plain_shard, 100, begin)
        teach(shard, 100, begin)
        unit.hide(frozenset(f"i{k}" for k in range(begin // 100)))
    assert unit.shared_dump() == plain.shared_dump()
    assert shard.dump() == plain_shard.dump()


def test_lists_that_stand_there_are_cut_where_they_may_hold_it() -> None:
    unit, shard, answers = unit_of(msgspec.structs.replace(ONE, list_length=10))
    teach(shard, 400)
    holders = {u for u in range(USERS) if "i0" in _on_list(answers, f"u{u}")}
    assert holders
    unit.hide(frozenset({"i0"}))
    run(shard.unlist({"i0"}, set())())
    # The judge's list is longer than what is published: more are asked than have it.
    assert {f"u{u}" for u in holders} <= answers.cut.keys()
    assert all(items == {"i0"} for items in answers.cut.values())


def _on_list(answers: Answers, user: str) -> set[str]:
    return {entry["item"] for entry in answers.read(f"hw:rec:{user}")["items"]}


def test_who_moved_up_where_something_was_hidden_is_found_as_well() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 400)
    unit.hide(frozenset({"i0", "i1", "i2"}))
    teach(shard, 100, 400)
    for item in shown(answers, "hw:rec"):
        answers.cut.clear()
        run(shard.unlist({item}, set())())
        holders = {u for u in range(USERS) if item in _on_list(answers, f"u{u}")}
        assert {f"u{u}" for u in holders} <= answers.cut.keys(), item


def test_who_would_have_it_has_a_new_list_soon_when_it_may_be_shown_again() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 400)
    unit.hide(frozenset({"i0"}))
    run(shard.unlist({"i0"}, set())())
    for _ in range(3):
        publish(shard.refresh())
    assert "i0" not in shown(answers, "hw:rec")
    answers.values.clear()
    unit.hide(frozenset())
    run(shard.unlist(set(), {"i0"})())
    publish(shard.refresh())
    assert "i0" in shown(answers, "hw:rec")


def test_a_slot_that_changes_hands_hides_nobody_else() -> None:
    small = msgspec.structs.replace(ONE, items_capacity=8)
    unit, shard, answers = unit_of(small)
    unit.hide(frozenset({"i0", "i20"}))
    for begin in range(0, 2_000, 100):
        teach(shard, 100, begin)
        hidden = {unit.model.ids.names[s] for s in np.flatnonzero(unit.model.room.hidden)}
        assert hidden & set(unit.model.ids.dump()[0]) <= {"i0", "i20"}
        assert not shown(answers, "hw:rec") & {"i0", "i20"}
    assert unit.model.ids.evicted


def test_it_stays_hidden_when_the_state_is_loaded() -> None:
    unit, shard, _ = unit_of()
    teach(shard, 400)
    shared, own = unit.shared_dump(), shard.dump()
    heir, _, answers = unit_of()
    heir.close(0)
    heir.hide(frozenset({"i0"}))
    heir.shared_load(shared)
    reborn = heir.open(0)
    reborn.load(own)
    teach(reborn, 100, 400)
    assert shown(answers, "hw:rec")
    assert "i0" not in shown(answers, "hw:rec")


def test_where_everything_is_hidden_lists_are_empty() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 300)
    run(unit.tick())
    assert shown(answers, "hw:top")
    unit.hide(frozenset(f"i{k}" for k in range(ITEMS)))
    teach(shard, 300, 300)
    run(unit.republish())
    for kind in ("rec", "sim", "top"):
        assert shown(answers, f"hw:{kind}") == set(), kind


@pytest.mark.parametrize("strangers", [0, 300])
def test_many_at_once_are_cut_out_of_the_lists_that_hold_them(strangers: int) -> None:
    unit, shard, answers = unit_of()
    teach(shard, 400)
    unit.hide(frozenset({"i0"}))
    teach(shard, 20, 400)  # some lists are made when something is hidden, others are not
    gone = {f"i{k}" for k in range(1, ITEMS)} | {f"unknown-{k}" for k in range(strangers)}
    unit.hide(unit.hidden | gone)
    run(shard.unlist(gone, set())())
    for user in range(USERS):
        assert (_on_list(answers, f"u{user}") & gone) <= answers.cut[f"u{user}"]


def test_an_item_that_was_let_go_is_looked_for_on_all_lists() -> None:
    unit, shard, answers = unit_of(msgspec.structs.replace(ONE, items_capacity=8))
    teach(shard, 400)
    assert unit.model.ids.evicted
    let_go = {f"let-go-{k}" for k in range(3)}
    gone = let_go | {f"i{k}" for k in range(6)}
    unit.hide(frozenset(gone))
    run(shard.unlist(gone, set())())
    assert all(let_go <= answers.cut[f"u{user}"] <= gone for user in range(USERS))
