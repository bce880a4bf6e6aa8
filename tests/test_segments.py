"""The lists of segments stand in Redis: for strangers, in turns, without what is hidden."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import SettingsError
from contracts.keys import escape
from contracts.pipeline import Pipeline, Segments, digest
from contracts.segments import MOST_VALUES
from streams.interactions.segments import SLICE
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import NoTelemetry, PlainRecord
from streams.worker.profiles import Profiles
from tests.forget_world import TWO
from tests.guests_world import Host, Inn
from tests.pipelines import read
from tests.streams_kit import Answers, batch, encode, event, publish, record, run
from tests.test_hiding import ONE, Cutting
from tests.test_hostile_events import JSON

PIPELINE = Pipeline(segments=Segments(context=("country", "device")))
HERE = f"{__name__}:PIPELINE"
WITH = msgspec.structs.replace(ONE, pipeline=HERE)


class Counting(NoTelemetry):
    """Keeps the sums of counters, by name and labels."""

    def __init__(self) -> None:
        self.counts: dict[tuple[object, ...], float] = {}

    def count(self, metric: Any, n: float = 1, **labels: object) -> None:
        """Add."""
        key = (metric.name, *labels.values())
        self.counts[key] = self.counts.get(key, 0) + n


def unit_of() -> tuple[Interactions, InteractionsShard, Cutting, Counting]:
    answers, telemetry = Cutting(), Counting()
    unit = Interactions(WITH, telemetry, answers.send, answers.send)
    return unit, unit.open(0), answers, telemetry


def visit(shard: InteractionsShard, n: int, first: int = 0, **context: Any) -> None:
    """Let people come who take items of their country, five at the most."""
    land = context.get("country", "nowhere")
    rows = [
        record(event(k, user=f"u{k}", item=f"{land}-{k % 5}", context=context), k)
        for k in range(first, first + n)
    ]
    publish(shard.handle(batch(rows)))


def listed(answers: Answers, key: str) -> list[str]:
    return [entry["item"] for entry in answers.read(key)["items"]]


def test_each_segment_has_a_list_that_begins_with_what_is_chosen_there() -> None:
    unit, shard, answers, _ = unit_of()
    for turn in range(30):
        for k, land in enumerate(("de", "fr")):
            visit(shard, 10, 20 * turn + 10 * k, country=land, device="phone")
    run(unit.tick())
    for land in ("de", "fr"):
        key = f"hw:top:country={land}"
        assert list(answers.read(key)) == ["items", "ts"]
        assert {item.partition("-")[0] for item in listed(answers, key)[:5]} == {land}
    assert len(listed(answers, "hw:top:device=phone")) == len(listed(answers, "hw:top")) == 10


def test_nothing_is_sent_again_where_nothing_has_changed() -> None:
    unit, shard, answers, _ = unit_of()
    visit(shard, 50, country="de")
    run(unit.tick())
    before = answers.count
    run(unit.tick())
    assert answers.count == before


def test_many_segments_take_turns() -> None:
    unit, shard, answers, telemetry = unit_of()
    for k in range(MOST_VALUES + 3):
        visit(shard, 1, k, country=f"c{k}", device=["a list"])
    for turn in range(1, 3):
        run(unit.tick())
        found = [key for key in answers.values if key.startswith("hw:top:country=")]
        assert len(found) == turn * SLICE
    name = "headwater_context_refused"
    assert telemetry.counts[name, "country", "beyond"] == 3
    assert telemetry.counts[name, "device", "unusable"] == MOST_VALUES + 3


def test_what_is_hidden_leaves_all_of_them_at_once() -> None:
    unit, shard, answers, _ = unit_of()
    for k in range(MOST_VALUES):
        visit(shard, 5, 5 * k, country=f"c{k}")
    run(unit.republish())
    assert "c60-0" in listed(answers, "hw:top:country=c60")
    unit.hide(frozenset({"c60-0"}))
    run(unit.republish())
    assert "c60-0" not in listed(answers, "hw:top:country=c60")


def test_who_takes_over_publishes_what_is_known() -> None:
    unit, shard, _, _ = unit_of()
    visit(shard, 50, country="de", device=3)
    heir, _, answers, _ = unit_of()
    heir.close(0)
    heir.shared_load(unit.shared_dump())
    heir.open(0).load(shard.dump())
    run(heir.tick())
    assert {"hw:top:country=de", "hw:top:device=3"} <= answers.values.keys()


def test_context_is_read_in_batches_of_every_size_and_kind() -> None:
    (unit, whole, _, _), (other, single, _, _) = unit_of(), unit_of()
    values: list[Any] = ["de", None, 7, 7.0, True, {"a": 1}, "de"] * 10
    events = [
        record(event(k, user=f"u{k}", item=f"i{k % 4}", context={"country": v}), k)
        for k, v in enumerate(values)
    ]
    publish(whole.handle(batch(events)))
    for one in events:
        publish(single.handle(batch([one])))
    assert unit.model.segments.known == ["country=de", "country=7", "country=true"]
    assert unit.shared_dump() == other.shared_dump()


def told(*records: tuple[str, Any]) -> dict[str, Any]:
    """Return what is told of people after these messages of `users`."""
    found: dict[str, Any] = {}

    async def tell(more: Any) -> None:
        found.update(more)

    values = [
        PlainRecord(
            k, 0, value if value is None or isinstance(value, bytes) else encode(value), key
        )
        for k, (key, value) in enumerate((key.encode(), value) for key, value in records)
    ]
    host, profiles = Host(Inn(), TWO), Profiles(("country", "device"), tell)
    host.logins.tell, host.inn.users[:] = [profiles.note], values
    run(host.hear())
    run(profiles.publish())
    return found


def test_readers_are_told_what_users_says_of_people_the_newest_last() -> None:
    said = {"device": "phone", "country": "de", "plan": "pro"}
    assert told(
        ("ann", {"user": "ann", "attributes": {"country": "fr"}}),
        ("bob", {"user": "bob", "attributes": {"country": ["de"], "age": 7}}),
        ("ann", {"user": "ann", "attributes": said}),
        ("cat", {"user": "cat", "attributes": said}),
        ("cat", None),
        ("dan", b"no message"),
    ) == {"ann": ["country=de", "device=phone"], "bob": [], "cat": []}


def test_a_pipeline_names_contexts_once_and_no_scenario_like_a_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(tmp_path, 'segments.context = ["country"]').segments.context == ("country",)
    for text in ('["a", "a"]', '["a=b"]', '[""]'):
        with pytest.raises(SettingsError, match=r"segments\.context"):
            read(tmp_path, f"segments.context = {text}")
    with pytest.raises(SettingsError, match="take another name"):
        read(tmp_path, '[scenarios."country=de"]')


def test_what_was_learned_without_context_can_go_on_and_what_was_not_cannot() -> None:
    before_there_was_a_choice = "25c7d5470ddc8785fd93cb544025d1b4bb5834bfd2ea905f9f8d25ae60ff4560"
    assert digest(Pipeline()) == before_there_was_a_choice
    assert digest(PIPELINE) != before_there_was_a_choice


def test_who_is_forgotten_exactly_leaves_segments_too() -> None:
    unit, shard, _, _ = unit_of()
    visit(shard, 20, country="de")
    records = [
        record(event(100 + k, user="ann", item="de-0", context={"country": "fr"}), 100 + k)
        for k in range(3)
    ]
    publish(shard.handle(batch(records)))
    assert shard.asks_log("ann")
    assert unit.model.segments.known == ["country=de", "country=fr"]
    shard.forget("ann", [batch(records)])
    assert unit.model.world.segments.total[:2].tolist() == pytest.approx([20.0, 0.0])
    assert unit.model.world.segments.size[:2].tolist() == [5, 0]


@given(said=st.lists(st.dictionaries(st.sampled_from(["country", "device"]), JSON), max_size=9))
@settings(max_examples=60, deadline=None)
def test_whatever_a_context_says_the_event_is_learned_or_dead_and_lists_are_made(
    said: list[Any],
) -> None:
    unit, shard, answers, _ = unit_of()
    rows = [
        record(json.dumps(event(k, user=f"u{k}", context=context)).encode(), k)
        for k, context in enumerate(said)
    ]
    effects = shard.handle(batch(rows))
    publish(effects)
    assert shard.learned + len(effects.messages) == len(said)
    run(unit.tick())
    known = unit.model.segments.known
    assert {f"hw:top:{escape(name)}" for name in known} <= answers.values.keys()
    heir, _, _, _ = unit_of()
    heir.shared_load(unit.shared_dump())
    assert heir.model.segments.known == known
