"""`headwater import-items`: what a file says stands in `items`, typed, and can be removed again."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import InputError
from contracts.settings import Settings
from headwater.commands import import_items
from streams.kafka.topics import ensure
from streams.sources import items
from tests.producers_world import World

CSV = """id;name;genres;price;new;sold_out
1;Tea;hot|green;2.50;true;
2;"Jam; red";;3;false;true
"""
LINES = """{"item": 7, "kind": "drink", "hidden": false}

{"item": "8", "attributes": {"tags": ["a", "b"], "price": 2}, "hidden": true}
"""


def write(folder: Path, text: str, name: str = "shop.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_csv_has_its_own_columns(tmp_path: Path) -> None:
    columns = items.Columns("id", "sold_out", ["genres"])
    tea, jam = items.read(write(tmp_path, CSV), columns)
    named = {"name": "Tea", "genres": ["hot", "green"], "price": 2.5, "new": True}
    assert tea == {"item": "1", "attributes": named, "hidden": False}
    named = {"name": "Jam; red", "price": 3, "new": False}
    assert jam == {"item": "2", "attributes": named, "hidden": True}


def test_json_lines_are_flat_or_as_messages_are(tmp_path: Path) -> None:
    found = list(items.read(write(tmp_path, LINES), items.Columns()))
    assert found == [
        {"item": "7", "attributes": {"kind": "drink"}, "hidden": False},
        {"item": "8", "attributes": {"tags": ["a", "b"], "price": 2}, "hidden": True},
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,name\n1,Tea\n", "no column 'item'; it has id, name"),
        ("item,hidden\n1,perhaps\n", "row 1: hidden must be true or false, got 'perhaps'"),
        ("item\n1\n,\n", "row 2: 2 columns"),
        ('item,name\n"",x\n', "row 1: item is empty"),
        ('{"name": "x"}', "row 1: no field 'item'; say --item FIELD"),
        ('{"item": "x", "size": {"a": 1}}', "row 1: size must be a finite number, a text"),
        ('{"item": "x", "attributes": {"a": 1}, "b": 2}', "row 1: attributes must be an object"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        list(items.read(write(tmp_path, text), items.Columns()))


def test_a_column_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 1: no field 'gone'; there are "):
        list(items.read(write(tmp_path, "id\n1\n"), items.Columns("id", "gone")))


def run(settings: Settings, *args: str) -> int:
    parser = argparse.ArgumentParser()
    import_items.add(parser.add_subparsers())
    return import_items.run(parser.parse_args(["import-items", *args]), settings)


def test_it_is_sent_and_removed(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure(settings)
    path = write(tmp_path, LINES)
    assert run(settings, path) == 0
    assert "2 items sent to the catalogue" in capsys.readouterr().out
    assert run(settings, path, "--remove") == 0
    assert "2 items removed from the catalogue" in capsys.readouterr().out
    records = World(settings, tmp_path).records("items")
    bodies: list[Any] = [r.value and json.loads(r.value) for r in records]
    assert bodies == [*items.read(path, items.Columns()), None, None]
    assert [record.key for record in records] == [b"7", b"8", b"7", b"8"]


def test_a_row_in_the_midst_that_is_wrong_says_how_many_were_sent(
    settings: Settings, tmp_path: Path
) -> None:
    ensure(settings)
    path = write(tmp_path, "item,hidden\n1,\n2,maybe\n")
    with pytest.raises(InputError, match=r"row 2: hidden .*; the 1 before it were sent"):
        run(settings, path)
