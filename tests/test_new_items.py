"""What `items` says of new items reaches readers, outlives a worker, and can leave."""

from pathlib import Path

import msgspec
import pytest

from contracts.pipeline import Content, Exploration, Generators, Pipeline
from learners import compare
from streams.interactions.shard import InteractionsShard
from streams.interactions.unit import Interactions
from streams.shards import NoTelemetry
from tests.pipelines import read, refused
from tests.streams_kit import run
from tests.test_hiding import ITEMS, ONE, USERS, Cutting, shown, teach

PIPELINE = Pipeline(
    generators=Generators(content=Content(newcomers=16)), exploration=Exploration(share=0.1)
)
HERE = msgspec.structs.replace(ONE, pipeline=f"{__name__}:PIPELINE")
NEW = {f"new {n}" for n in range(8)}


def unit_of(told: bool = True) -> tuple[Interactions, InteractionsShard, Cutting]:
    answers = Cutting()
    unit = Interactions(HERE, NoTelemetry(), answers.send, answers.send)
    for n in range(ITEMS if told else 0):
        unit.describe(f"i{n}", {"room": f"room {n % 4}"})
    for n, item in enumerate(sorted(NEW) if told else []):
        unit.describe(item, {"room": f"room {n % 4}"})
    return unit, unit.open(0), answers


def test_a_new_item_is_read_with_the_odds_of_its_draw() -> None:
    _, shard, answers = unit_of()
    teach(shard, 600)
    lists = [answers.read(f"hw:rec:u{n}")["items"] for n in range(USERS)]
    new = [entry for items in lists for entry in items if entry["item"] in NEW]
    assert new
    drawn = [entry for items in lists for entry in items if "explored" in entry]
    assert drawn
    assert all(0.0 < entry["explored"] <= 1.0 for entry in drawn)
    assert {word for entry in drawn for word in [entry["because"].split(" ")[0]]} <= {
        "like", "popular", "others", "with", "follows"
    }  # fmt: skip


def test_a_new_item_that_is_hidden_is_cut_out_of_lists_and_comes_back() -> None:
    unit, shard, answers = unit_of()
    teach(shard, 600)
    gone = shown(answers, "hw:rec:") & NEW
    unit.hide(frozenset(gone))
    run(shard.unlist(gone, frozenset())())
    assert gone <= {item for items in answers.cut.values() for item in items}
    teach(shard, 50, 600)
    assert not gone & shown(answers, "hw:rec:")
    unit.hide(frozenset())
    teach(shard, 100, 650)
    assert NEW & shown(answers, "hw:rec:")


def test_a_worker_that_starts_anew_goes_on_with_the_same_newcomers_and_lists() -> None:
    unit, shard, _ = unit_of()
    teach(shard, 600)
    shared, own = unit.shared_dump(), shard.dump()
    twin, _, _ = unit_of()
    twin.shared_load(shared)
    again = twin.open(0)
    again.load(own)
    assert compare.items(shared, twin.shared_dump()) == []
    assert compare.users(own, again.dump()) == (True, True)
    assert twin.model.ids.lent == unit.model.ids.lent
    later = unit.shared_still()
    teach(shard, 20, 600)
    assert later()["tried.lists"] == shared["tried.lists"], "a copy stays as it was"


def test_what_was_learned_is_what_it_is_without_any_attribute() -> None:
    (told, shard, _), (untold, other, _) = unit_of(), unit_of(told=False)
    teach(shard, 600)
    teach(other, 600)
    assert compare.items(told.shared_dump(), untold.shared_dump()) == []
    learned, lists = compare.users(shard.dump(), other.dump())
    assert learned
    assert not lists


def test_exploring_needs_to_know_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read(tmp_path, "generators.content = true\nexploration.share = 0.05")
    assert (found.generators.content, found.exploration.share) == (Content(), 0.05)
    found = read(tmp_path, "generators.content.newcomers = 8")
    assert found.generators.content == Content(newcomers=8)
    (tmp_path / "p.toml").write_text("[exploration]\nshare = 0.05\n")
    assert refused("p.toml").startswith("p.toml, line ")
    assert refused("p.toml").endswith("write `content = true` under [generators]")
