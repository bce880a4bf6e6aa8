"""A mistake in a pipeline is told with its line and its remedy, before anything starts."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import exits, pipeline
from contracts.errors import SettingsError
from contracts.pipeline import (
    Action,
    Generators,
    Neighbours,
    Pipeline,
    Popularity,
    Segments,
    Transitions,
)
from headwater import cli
from tests import pipelines
from tests.pipelines import refused

PIECES = [
    *"\"'[]{}=,.#\\\n\r\t1-é",
    '"""',
    "'''",
    "[a]",
    "[[b]]",
    "nan",
    "false",
    "[]",
    "{}",
    "rate",
]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("\nhed = 1", 2, "hed is unknown; did you mean 'head'? the keys of the top are head, rate"),
        ("[generators]\nx = 1", 2, "generators.x is unknown; the keys of [generators] are popular"),
        ("[generators.recent]\nx = 1", 2, "is unknown; [generators.recent] has no keys"),
        ("[actions]\na.wait = 1", 2, "actions.a.wait is unknown; did you mean 'weight'?"),
        ('[actions]\na = {"wait" = 1}', 2, "actions.a.wait is unknown; did you mean 'weight'?"),
        ("# x\nrate = '1'", 2, "rate must be a number > 0 and ≤ 1, got '1'; write it so, or"),
        ("rate = 0", 1, "rate must be a number > 0 and ≤ 1, got 0; write it so, or remove it"),
        ("rate = true", 1, "rate must be a number > 0 and ≤ 1, got True; write it so, or"),
        ("head = 'x'", 1, "head must be 'softmax' or 'mixture' or 'blend', got 'x'; write it"),
        ("actions = 1", 1, "actions must be a table, got 1; write [actions] and its keys below"),
        ("[scenarios.a]\npins.b.places = [0]", 2, "places must be a list of 1 to 96 whole numbers"),
        ("[scenarios.a]\npins.b.places = [1]", 2, "pins b pins nothing; name its items, or say"),
        ("[scenarios.a]\ndiversity = 1\ncalibration = 0.1\ncalibrated_by = 'x'", 3, "1 together;"),
        ("[[segments]]", 1, "segments must be a table, got [{}]; write [segments] and its keys"),
        ("\n[actions]\ncart = 3", 3, "actions.cart must be a table, got 3; write [actions.cart]"),
        ("[actions.a]\nweight = nan", 2, "weight must be a number ≥ -1,000 and ≤ 1,000, got nan"),
        ("[actions.a]\n\nrepeats = 1", 3, "must be 'learn' or 'always' or 'never', got 1; write"),
        ("[actions.'']\nweight = 1", 1, "actions has an action without a name; name it"),
        ("[generators]\npopularity = false", 2, "cannot be left out; remove the line"),
        ("[generators]\nrecent = 'no'", 2, "must be a table, got 'no'; write [generators.recent]"),
        (
            "[generators.popularity]\nbaseline_s = 5",
            2,
            "baseline_s 5 is not among half_lives_s; take one of 300, 3600, 21600, 86400",
        ),
        (
            "[generators]\npopularity.half_lives_s = [1, 2]",
            2,
            "baseline_s 86400 is not among half_lives_s; take one of 1, 2, or add it there",
        ),
        ("[generators.popularity]\nhalf_lives_s = [\n2,\n2]", 2, "must rise, got 2 after 2; sort"),
        ("[generators.popularity]\nhalf_lives_s = []", 2, "a list of 1 to 8 numbers > 0 and ≤"),
        ("[generators]\nneighbours.visits = 1025", 2, "a whole number ≥ 1 and ≤ 1,024, got 1025"),
        ("[generators]\nneighbours.visits = 1.5", 2, "a whole number ≥ 1 and ≤ 1,024, got 1.5"),
        ("[segments]\nhistory = [5, 1]", 2, "segments.history must rise, got 1 after 5; sort them"),
        ("[segments]\ngap_s = [-1]", 2, "segments.gap_s must be a list of 0 to 16 numbers > 0"),
        (
            "rate = 1\nrate = 1",
            2,
            "not TOML: Cannot overwrite a value; write it as https://toml.io",
        ),
        ("a = 1\n\nb", 3, "not TOML: Expected '=' after a key in a key/value pair; write it as"),
        ("a = '''\n\n", 1, "not TOML:"),
        ("\na = " + "[" * 9999, 2, "not TOML: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_remedy(
    folder: Path, text: str, line: int, said: str
) -> None:
    (folder / "p.toml").write_text(text, encoding="utf-8")
    message = refused("p.toml")
    assert message.startswith(f"p.toml, line {line}: ")
    assert said in message
    assert "; " in message, "there is a remedy"


@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from(PIECES)), min_size=1, max_size=4))
def test_whatever_stands_in_a_file_it_is_a_pipeline_or_a_mistake_on_a_line(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, str]]
) -> None:
    path, text = tmp_path_factory.getbasetemp() / "odd.toml", pipelines.example("shop.toml")
    for at, piece in pieces:
        text = text[:at] + piece + text[at:]
    path.write_text(text, encoding="utf-8", newline="")
    said = "odd.toml, line 1: nothing; to do"
    try:
        pipeline.read(str(path))
    except SettingsError as error:
        said = str(error)
    assert re.search(r"odd\.toml, line \d+: .+; .+", said, re.S)


def test_a_file_that_is_not_utf_8_is_told_with_its_line(folder: Path) -> None:
    (folder / "p.toml").write_bytes(b"# a\n# \xff\n")
    assert refused("p.toml") == "p.toml, line 2: not UTF-8; save the file as UTF-8"


def test_lines_of_windows_are_counted_as_others(folder: Path) -> None:
    (folder / "p.toml").write_bytes(b"# a\r\n\r\nrate = 0\r\n")
    assert refused("p.toml").startswith("p.toml, line 3: rate")


def test_a_file_that_is_not_there_is_named() -> None:
    message = "no.toml: No such file or directory; name a TOML file that is there"
    assert refused("no.toml") == message


@pytest.mark.parametrize("where", ["p.yaml", "p", ":p", "p:", "..a:p", "a b:c", "a:b.c"])
def test_what_is_neither_file_nor_name_is_refused_with_what_would_be(where: str) -> None:
    message = f"pipeline must be a file that ends in .toml or package.module:name, got '{where}'; "
    assert refused(where) == message + "mend HEADWATER_PIPELINE"


WRONG: list[Any] = [
    lambda: Popularity(half_lives_s=(1, 2)),
    lambda: Generators(popularity=None),  # type: ignore[arg-type]
    lambda: Transitions(followers=0),
    lambda: Neighbours(sessions=True),
    lambda: Action(weight=float("inf")),
    lambda: Segments(gap_s=(float("nan"),)),
    lambda: Pipeline(rate=2),
    lambda: Pipeline(actions={"view": 2}),  # type: ignore[dict-item]
]


@pytest.mark.parametrize("make", WRONG)
def test_python_cannot_make_what_a_file_must_not_say(make: Any) -> None:
    with pytest.raises(ValueError, match="; "):
        make()


@pytest.mark.parametrize(
    "argv", [["worker"], ["demo"], ["settings"], ["replay", "no.csv", "--offline"]], ids=str
)
def test_a_command_with_a_wrong_pipeline_is_one_line_and_exit_code_10(
    folder: Path,
    argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "p.toml").write_text("\nrate = 2")
    monkeypatch.setenv("HEADWATER_PIPELINE", "p.toml")
    assert cli.main(argv) == exits.SETTINGS.code
    err = capsys.readouterr().err
    assert err == f"headwater: {refused('p.toml')}\n"
