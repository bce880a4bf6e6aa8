"""A pipeline in Python is found by its name, and what is wrong there is told with its line."""

import sys
from pathlib import Path

import pytest

from contracts import pipeline, pipeline_shown
from contracts.pipeline import Pipeline
from tests.pipelines import refused

MINE = """import json
from contracts.pipeline import *
made = Pipeline(rate=0.3)
number = 3

def make():
    return Pipeline(rate=0.3)

def asks(what):
    return what

def parses():
    return json.loads("{")

def fails():
    return Pipeline(
        segments=Segments(history=[2, 1]),
    )
"""


@pytest.fixture
def mine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module of the user's own."""
    (folder / "mine.py").write_text(MINE)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return "mine"


@pytest.mark.parametrize("name", ["made", "make"])
def test_an_object_and_a_function_are_both_read(mine: str, name: str) -> None:
    assert pipeline.read(f"{mine}:{name}") == Pipeline(rate=0.3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("number", "mine:number: gives int, not Pipeline; let it be a contracts.pipeline.Pipeline"),
        ("mad", "mine:mad: mine has no 'mad'; did you mean 'made'?"),
        ("zzz", "mine:zzz: mine has no 'zzz'; name one that it has"),
        ("asks", "mine:asks: TypeError("),
        ("parses", "{folder}/mine.py, line 13: JSONDecodeError("),
        ("fails", "{folder}/mine.py, line 17: history must rise, got 1 after 2; sort them"),
    ],
)
def test_a_name_that_leads_to_no_pipeline_is_told_with_a_remedy(
    mine: str, folder: Path, name: str, said: str
) -> None:
    assert refused(f"{mine}:{name}").startswith(said.format(folder=folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nx = (", "{folder}/broken.py, line 2: "),
        ("\n\n1 / 0", "{folder}/broken.py, line 3: ZeroDivisionError('division by zero'); mend it"),
        (
            "import nonesuch",
            "broken:x: no module 'nonesuch'; install it, or put its folder on PYTHONPATH",
        ),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_with_its_line(
    folder: Path, text: str, said: str
) -> None:
    (folder / "broken.py").write_text(text)
    assert refused("broken:x").startswith(said.format(folder=folder))


def test_a_package_that_is_not_there_is_named() -> None:
    remedy = "install it, or put its folder on PYTHONPATH"
    assert refused("no.such:x") == f"no.such:x: no module 'no'; {remedy}"


def test_of_python_what_is_not_the_default_comes_from_it(mine: str) -> None:
    table = pipeline_shown.table(f"{mine}:made")
    assert table["rate"] == (0.3, "mine:made")
    assert table["head"] == ("softmax", "default")
