"""Figures of groups: hit rates with intervals, shares of places and choices, popularity, bounds."""

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from contracts import metrics
from contracts.checked import Mistake
from contracts.groups import LONGEST, MOST, Groups
from contracts.metrics import Metric
from contracts.pipeline import Pipeline, digest
from learners import groups
from learners.groups import COLUMNS, EVENTS, HITS, PLACES, VALUES, Window
from streams.interactions.members import Members
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import PlainRecord
from streams.telemetry.metrics import Telemetry
from streams.worker.introduction import introduce
from tests.forget_world import TWO
from tests.guests_world import Host, Inn
from tests.pipelines import example, read, refused
from tests.streams_kit import Answers, batch, event, publish, record, run
from tests.test_hiding import ONE, teach

PIPELINE = Pipeline(groups={"room": Groups(), "age": Groups(of="users", attribute="years")})
HERE = f"{__name__}:PIPELINE"


def unit_of(pipeline: str = HERE) -> tuple[Interactions, InteractionsShard, Telemetry, Answers]:
    telemetry, answers = Telemetry(CollectorRegistry()), Answers()
    settings = msgspec.structs.replace(ONE, pipeline=pipeline)
    unit = Interactions(settings, telemetry, answers.send, answers.send)
    return unit, unit.open(0), telemetry, answers


def values(telemetry: Telemetry, metric: Metric, **labels: str) -> dict[str, float]:
    found = {}
    for family in telemetry.registry.collect():
        for sample in family.samples if family.name == metric.name else []:
            if labels.items() <= sample.labels.items():
                found[sample.labels["group"]] = sample.value
    return found


def test_each_groups_hit_rate_is_that_of_its_own_events() -> None:
    """Those of "left" choose one item again and again, the others one that nobody chose before."""
    unit, shard, telemetry, _ = unit_of()
    for n in range(4):
        unit.describe(f"same{n}", {"room": "hall"})
        unit.introduce(f"left{n}", {"years": 30})
    plan = [(f"left{n % 4}", f"same{n % 4}") for n in range(40)]
    plan += [(f"right{n % 4}", f"new{n}") for n in range(20)]
    for k, (user, item) in enumerate(plan):
        publish(shard.handle(batch([record(event(k, user=user, item=item), k)])))
    run(unit.tick())
    mean = {"grouping": "room", "bound": "mean"}
    assert values(telemetry, metrics.GROUP_HITS, **mean) == {"hall": 0.9, "none": 0.0}
    mean["grouping"] = "age"
    assert values(telemetry, metrics.GROUP_HITS, **mean) == {"30": 0.9, "none": 0.0}
    choices = values(telemetry, metrics.GROUP_SHARE, grouping="room", of="choices")
    assert choices == {"hall": pytest.approx(2 / 3), "none": pytest.approx(1 / 3)}
    assert values(telemetry, metrics.GROUP_SHARE, grouping="age") == {}
    short = values(telemetry, metrics.GROUP_SHORT, grouping="age", what="hits")
    assert short == {"30": 0.0, "none": 1.0}


def test_places_are_those_of_the_lists_that_were_given() -> None:
    unit, shard, telemetry, answers = unit_of()
    for n in range(30):
        unit.describe(f"i{n}", {"room": f"r{n % 2}"})
    unit.groups.look()
    counted = {"r0": 0, "r1": 0}
    for k in range(60):  # each batch of one event gives one list
        teach(shard, 1, k)
        for entry in answers.read(f"hw:rec:u{k % 9}")["items"][:10]:
            counted[f"r{int(entry['item'][1:]) % 2}"] += 1
    run(unit.tick())
    places = values(telemetry, metrics.GROUP_SHARE, grouping="room", of="places")
    whole = sum(counted.values())
    assert places == {room: pytest.approx(n / whole) for room, n in counted.items()}


def test_figures_do_not_depend_on_how_events_were_cut_where_they_are_of_events() -> None:
    found = []
    for size in (1, 7, 120):
        unit, shard, telemetry, _ = unit_of()
        for n in range(30):
            unit.describe(f"i{n}", {"room": f"r{n % 3}"})
        for begin in range(0, 120, size):
            random = np.random.default_rng(7)
            items = [f"i{int(30 * x * x)}" for x in random.random(120)]
            some = range(begin, min(begin + size, 120))
            rows = [record(event(k, user=f"u{k % 9}", item=items[k]), k) for k in some]
            publish(shard.handle(batch(rows)))
        run(unit.tick())
        found.append(values(telemetry, metrics.GROUP_HITS, grouping="room", bound="low"))
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {"r0", "r1", "r2"}


def test_what_is_erased_is_in_no_group_and_what_ages_out_is_shown_no_longer() -> None:
    unit, shard, telemetry, _ = unit_of()
    unit.introduce("ann", {"years": 30})
    publish(shard.handle(batch([record(event(0, user="ann"))])))
    run(unit.tick())
    assert set(values(telemetry, metrics.GROUP_HITS, grouping="age", bound="mean")) == {"30"}
    unit.introduce("ann", {})
    unit.groups._window = Window(2, VALUES, COLUMNS)
    publish(shard.handle(batch([record(event(1, user="ann"), 1)])))
    run(unit.tick())
    assert set(values(telemetry, metrics.GROUP_HITS, grouping="age", bound="mean")) == {"none"}
    assert unit._people.of == {}


def test_a_worker_hears_from_users_who_is_in_which_group() -> None:
    host = Host(Inn(), msgspec.structs.replace(TWO, pipeline=HERE))
    host.logins.tell = [partial(introduce, [host.unit])]
    host.inn.says({"user": "ann", "attributes": {"years": 30}})
    host.inn.says({"user": "bob", "attributes": {"years": [40]}})
    run(host.hear())
    assert set(host.unit._people.of) == {"ann", "bob"}
    host.inn.users.append(PlainRecord(2, 0, None, b"ann"))
    run(host.hear())
    assert set(host.unit._people.of) == {"bob"}


def test_groups_are_read_as_the_document_writes_them(folder: Path) -> None:
    assert read(folder, example("makers.toml")).groups == {
        "maker": Groups(floors={"small": 0.2}),
        "town": Groups(of="users", attribute="lives_in", least=0.9),
    }
    (folder / "odd.toml").write_text("[groups.x]\nof = 'users'\nfloors.a = 1\n")
    assert refused("odd.toml") == (
        'odd.toml, line 3: groups.x.floors are for items; remove it, or write of = "items"'
    )


def test_only_so_many_values_are_told_apart_and_long_ones_are_cut() -> None:
    members = Members({"brand": Groups(floors={"last": 0.1})})
    told: dict[str, Any] = {f"i{n}": f"b{n}" for n in range(MOST)}
    for name, brand in (told | {"long": "x" * 1000, "late": "last", "odd": {"x": 1}}).items():
        members.tell(name, {"brand": brand})
    assert len(members.values(0)) == VALUES
    (numbers,) = members.numbers()
    of = {name: members.values(0)[numbers[members.of.get(name, 0)]] for name in [*told, "late"]}
    assert (of["i0"], of[f"i{MOST - 1}"], of["late"]) == ("b0", "other", "last")
    assert members.of["long"] == members.of[f"i{MOST - 1}"]
    members = Members({"brand": Groups()})
    members.tell("long", {"brand": "x" * 1000})
    assert members.values(0)[-1] == "x" * LONGEST


def test_a_window_forgets_the_oldest_events_and_stays_small() -> None:
    window, one = Window(1, VALUES, COLUMNS), np.zeros((1, VALUES, COLUMNS))
    one[0, 0, EVENTS] = 1
    for _ in range(25_000):
        window.add(one, 1)
    assert 9_500 <= window.counts()[0, 0, EVENTS] <= 10_000


def test_a_group_is_short_only_where_chance_does_not_explain_it() -> None:
    counts = np.zeros((VALUES, COLUMNS))
    counts[:3, EVENTS] = 1000, 10, 1000
    counts[:3, HITS] = 500, 2, 250
    counts[:3, PLACES] = 18_000, 0, 2_000
    assert np.flatnonzero(groups.short_of_hits(counts, 0.8)).tolist() == [2]
    assert np.flatnonzero(groups.short_of_places(counts, 0.8)).tolist() == [1, 2]
    assert not groups.short_of_places(counts, 0.1)[2]


@pytest.mark.parametrize(
    ("floors", "said"),
    [({"a": 0.6, "b": 0.5}, "1.1 of all places"), ({f"{n}": 0.01 for n in range(33)}, "33|32")],
)
def test_floors_that_cannot_be_kept_are_a_mistake(floors: dict[str, float], said: str) -> None:
    with pytest.raises(Mistake, match=said):
        Groups(floors=floors)


def test_floors_are_for_items_and_are_counted_together() -> None:
    with pytest.raises(Mistake, match="are for items"):
        Groups(of="users", floors={"a": 0.1})
    with pytest.raises(Mistake, match=r"ask for 1\.2 of all places"):
        Pipeline(groups={name: Groups(floors={"a": 0.6}) for name in "ab"})


def test_learned_state_does_not_belong_to_groups() -> None:
    assert digest(PIPELINE) == digest(Pipeline())
