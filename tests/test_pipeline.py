"""A pipeline is what its file says, what Python says, and what the document says."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import exits, pipeline, pipeline_shown
from contracts.pipeline import (
    ACTIONS,
    Action,
    Generators,
    Pipeline,
    Recent,
    Segments,
)
from headwater import cli
from tests import pipelines
from tests.pipelines import example, read, refused


def test_nothing_named_is_the_default(folder: Path) -> None:
    assert pipeline.read("") == read(folder, "") == Pipeline()


@given(pipelines.pipelines, st.data())
def test_what_is_written_as_toml_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, made: Pipeline, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(pipelines.written(made, data.draw), encoding="utf-8")
    back = pipeline.read(str(path))
    assert back == made
    assert pipeline.digest(back) == pipeline.digest(made)


def test_what_a_file_does_not_name_stays(folder: Path) -> None:
    found = read(folder, "[actions.like]\nrepeats = 'never'\n[actions.rent]\nweight = 2\n")
    wanted = {"like": Action(1.5, "never"), "rent": Action(2.0)}
    assert found == Pipeline(actions=ACTIONS | wanted)


def test_a_generator_is_left_out_by_false_and_kept_by_true(folder: Path) -> None:
    found = read(folder, "[generators]\ntransitions = false\nrecent = true\npopularity = true")
    assert found.generators == Generators(transitions=None)
    assert found.generators.recent == Recent()


def test_known_actions_stay_in_python_too() -> None:
    assert Pipeline(actions={"hide": Action(0)}).actions == ACTIONS | {"hide": Action(0)}


def test_the_digest_differs_where_pipelines_do() -> None:
    made = [
        Pipeline(),
        Pipeline(rate=0.3),
        Pipeline(generators=Generators(recent=None)),
        Pipeline(actions={"rent": Action()}),
        Pipeline(segments=Segments(history=())),
    ]
    assert len({pipeline.digest(one) for one in made}) == len(made)
    assert re.fullmatch("[0-9a-f]{64}", pipeline.digest(made[0]))


def test_the_digest_does_not_know_how_a_pipeline_was_written() -> None:
    ints = Pipeline(actions={"a": Action(2), "b": Action(1)}, segments=Segments(gap_s=(1, 2)))
    other = {"b": Action(1.0), "a": Action(2.0)}
    floats = Pipeline(actions=other, segments=Segments(gap_s=(1.0, 2.0)))
    assert pipeline.digest(ints) == pipeline.digest(floats)


def test_each_value_is_shown_with_its_file_or_as_a_default(folder: Path) -> None:
    read(folder, "rate = 0.2\n[generators]\nrecent = false\nneighbours = {visits = 3}")
    table = pipeline_shown.table("p.toml")
    assert table["rate"] == (0.2, "p.toml")
    assert table["head"] == ("softmax", "default")
    assert table["generators.recent"] == (False, "p.toml")
    assert table["generators.neighbours.visits"] == (3, "p.toml")
    assert table["generators.neighbours.sessions"] == (100_000, "default")


def test_the_command_settings_shows_the_pipeline_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read(folder, "rate = 0.3")
    monkeypatch.setenv("HEADWATER_PIPELINE", "p.toml")
    assert cli.main(["settings"]) == exits.OK.code
    assert re.search(r"^pipeline\.rate +0\.3  \(p\.toml\)$", capsys.readouterr().out, re.M)
    assert cli.main(["settings", "--json"]) == exits.OK.code
    told = json.loads(capsys.readouterr().out)
    assert told["pipeline.rate"] == {"value": 0.3, "origin": "p.toml"}
    assert told["pipeline"] == {"value": "p.toml", "origin": "environment"}
    assert told["pipeline.head"] == {"value": "softmax", "origin": "default"}


def test_both_examples_of_the_document_are_the_same_pipeline(folder: Path) -> None:
    (folder / "shop.toml").write_text(example("shop.toml"))
    (folder / "shop").mkdir()
    (folder / "shop" / "mine.py").write_text(example("shop.mine"))
    found = pipeline.read("shop.toml")
    assert found != Pipeline()
    assert found == pipeline.read("shop.mine:pipeline")


def test_the_mistake_in_the_document_is_told_so(folder: Path) -> None:
    (folder / "shop.toml").write_text("[generators]\npopularty = 1\n")
    assert example("mistake") == f"headwater: {refused('shop.toml')}\n"
