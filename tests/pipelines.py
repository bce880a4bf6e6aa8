"""Pipelines of every shape, and a writer of TOML that likes all of its spellings."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from contracts import pipeline as p
from contracts.checked import Checked
from contracts.errors import SettingsError

DOCUMENT = Path(__file__).parents[1] / "docs" / "pipeline.md"
EXAMPLE = re.compile(r"<!-- example: ([\w.]+) -->\n```\w*\n(.*?)```", re.S)


def read(folder: Path, text: str) -> p.Pipeline:
    """Write a file where the test stands, and read it."""
    (folder / "p.toml").write_text(text, encoding="utf-8")
    return p.read("p.toml")


def example(name: str) -> str:
    """Return an example of docs/pipeline.md."""
    found: dict[str, str] = dict(EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8")))
    return found[name]


def refused(where: str) -> str:
    """Return what is said of a pipeline that is not to be read."""
    with pytest.raises(SettingsError) as found:
        p.read(where)
    return str(found.value)


seconds = st.floats(1e-3, 1e12, allow_nan=False)
count = st.integers(1, 1024)
repeats = st.sampled_from([None, "learn", "always", "never"])
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


def rising(values: st.SearchStrategy[Any], least: int, most: int) -> st.SearchStrategy[Any]:
    """Return strategies of tuples that rise."""
    lists = st.lists(values, min_size=least, max_size=most, unique=True)
    return lists.map(lambda found: tuple(sorted(found)))


def switched(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of a generator that may be left out."""
    return st.none() | values


def popularity() -> st.SearchStrategy[p.Popularity]:
    """Return a strategy of half-lives with a baseline among them."""
    return rising(seconds, 1, 8).flatmap(
        lambda lives: st.builds(p.Popularity, st.just(lives), st.sampled_from(lives))
    )


generators = st.builds(
    p.Generators,
    popularity(),
    switched(st.just(p.Recent())),
    switched(st.builds(p.CoOccurrence, seconds, count)),
    switched(st.builds(p.Transitions, count)),
    switched(st.builds(p.Neighbours, st.integers(1, 10_000_000), count)),
)
actions = st.builds(p.Action, st.floats(-1000, 1000), repeats)
segments = st.builds(p.Segments, rising(st.integers(1, 1_000_000), 0, 16), rising(seconds, 0, 16))
pipelines = st.builds(
    p.Pipeline,
    st.sampled_from(["softmax", "mixture", "blend"]),
    st.floats(0, 1, exclude_min=True),
    generators,
    st.dictionaries(names | st.sampled_from(list(p.ACTIONS)), actions, max_size=4),
    segments,
    st.booleans(),
)

Key = tuple[str, ...]
NOISE = ["", "# [not.a.table]", '# "no string', "\t", "#= {"]


def written(pipeline: p.Pipeline, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Return a pipeline as TOML: tables, dotted keys or inline tables, with lines that say nothing.

    The top is written first, as TOML wants it.
    """
    tree = _tree(pipeline)
    out: list[str] = []
    tables = []
    for name, value in tree.items():
        if isinstance(value, dict) and draw(st.booleans()):
            tables.append((name, value))
        else:
            out += _lines((name,), value, draw)
    for name, value in tables:
        out += [f"[{quoted(name)}] # {draw(st.sampled_from(NOISE))}"]
        for inner, part in value.items():
            out += _lines((inner,), part, draw)
    return "\n".join(out) + "\n"


def _tree(value: Any) -> Any:
    """Return structs as dicts; None is `false` of a generator, and not written of anything else."""
    if isinstance(value, p.Generators):
        return {n: _tree(v) if v is not None else False for n, v in _fields(value)}
    if isinstance(value, Checked):
        return {n: _tree(v) for n, v in _fields(value) if v is not None}
    if isinstance(value, dict):
        return {n: _tree(v) for n, v in value.items()}
    return value


def _fields(struct: Checked) -> list[tuple[str, Any]]:
    return list(msgspec.structs.asdict(struct).items())


def _lines(key: Key, value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Iterator[str]:
    yield draw(st.sampled_from(NOISE))
    if isinstance(value, dict) and value and draw(st.booleans()):
        for name, part in value.items():
            yield from _lines((*key, name), part, draw)
    else:
        yield f"{'.'.join(map(quoted, key))} = {_value(value, draw(st.booleans()))}"


def quoted(name: str) -> str:
    """Return a key in quotes, in which every name can stand."""
    return json.dumps(name, ensure_ascii=False)


def _value(value: Any, broken: bool = False) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(n)} = {_value(v)}" for n, v in value.items()) + "}"
    if isinstance(value, tuple):
        between = ", # ]\n" if broken else ", "
        return f"[{between.join(map(_value, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)
