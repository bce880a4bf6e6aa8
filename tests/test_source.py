"""What comes in: files of any form give the same events, and a bad row is named."""

import csv
import gzip
import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import InputError
from streams.sources import examples as source_examples
from streams.sources import reader as source

IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
TIMES = st.floats(946_684_800.0, 4e9)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"event_id": IDS, "user": IDS, "item": IDS, "action": IDS, "ts": TIMES},
        optional={"value": st.floats(allow_nan=False, allow_infinity=False)},
    ),
    min_size=1,
)
FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def write(folder: Path, text: str, name: str = "clicks.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def as_csv(events: list[dict[str, Any]], delimiter: str = ",") -> str:
    text = io.StringIO()
    names = ("event_id", "user", "item", "action", "ts", "value")
    writer = csv.DictWriter(text, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(events)
    return text.getvalue()


@FOLDER
@given(EVENTS)
def test_what_is_written_as_csv_is_read_back(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    assert events == list(source.read(write(tmp_path, as_csv(events))))


@FOLDER
@given(EVENTS)
def test_what_is_written_as_json_lines_is_read_back(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    assert events == list(source.read(write(tmp_path, text)))


@FOLDER
@given(st.text())
def test_any_text_gives_events_or_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any"
    path.write_bytes(("ts,user,item\n" + text).encode("utf-8", "surrogatepass"))
    with suppress(InputError):
        for event in source.read(str(path)):
            assert set(event) >= {"event_id", "user", "item", "action", "ts"}


PLAIN = "ts,session,item,split\n1396314141.719,5182,214821026,train\n1396314153.088,7,9,train\n"
FIRST = {
    "event_id": "clicks.csv:1",
    "user": "5182",
    "item": "214821026",
    "action": "view",
    "ts": 1396314141.719,
}


def test_a_session_is_the_user_and_the_row_gives_the_event_id(tmp_path: Path) -> None:
    assert next(source.read(write(tmp_path, PLAIN))) == FIRST


def test_gzip_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert next(source.read(str(path))) == FIRST


@pytest.mark.parametrize("packed", [False, True])
def test_stdin_is_read_plain_or_packed(monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    data = gzip.compress(PLAIN.encode()) if packed else PLAIN.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert [e["event_id"] for e in source.read("-")] == ["stdin:1", "stdin:2"]


@pytest.mark.parametrize("text", [PLAIN.replace(",", ";"), PLAIN.replace(",", "\t")])
def test_other_delimiters_are_found_by_the_header(tmp_path: Path, text: str) -> None:
    assert next(source.read(write(tmp_path, text))) == FIRST


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + PLAIN.replace("\n", "\r\n") + "\r\n"
    events = list(source.read(write(tmp_path, text)))
    assert (events[:1], len(events)) == ([FIRST], 2)


def test_options_name_the_columns_that_are_called_otherwise(tmp_path: Path) -> None:
    text = "when,who,what,how,stars,session\n2014-04-01T01:02:21Z,ann,tea,buy,4.5,s1\n"
    columns = {"ts": "when", "user": "who", "item": "what", "action": "how", "value": "stars"}
    expected = {
        "event_id": "clicks.csv:1",
        "user": "ann",
        "item": "tea",
        "action": "buy",
        "ts": 1396314141.0,
        "value": 4.5,
        "session": "s1",
    }
    assert [expected] == list(source.read(write(tmp_path, text), columns))


def test_milliseconds_are_taken_when_declared(tmp_path: Path) -> None:
    path = write(tmp_path, "ts,user,item\n1396314141719,a,b\n")
    assert next(source.read(path, ts_unit="ms"))["ts"] == 1396314141.719


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1396314141719,a,b", "looks like milliseconds; say --ts-unit ms"),
        ("soon,a,b", "ts must be seconds or an ISO date, got 'soon'"),
        ("nan,a,b", "ts must be seconds between"),
        ("12,a,b", "ts must be seconds between"),
        ("1396314141,,b", "user is empty"),
        ("1396314141,a,", "item is empty"),
        ("1396314141," + "é" * 129 + ",b", "user is longer than 256 bytes"),
        ("1396314141,a", "2 columns, but the header has 3"),
        ("1396314141,a,b,c", "4 columns, but the header has 3"),
        ('1396314141,a,"b', "not CSV"),
    ],
)
def test_a_bad_csv_row_is_named_with_what_was_expected(
    tmp_path: Path, row: str, problem: str
) -> None:
    path = write(tmp_path, f"ts,user,item\n1396314141,ann,tea\n{row}\n")
    events = source.read(path)
    assert next(events)["user"] == "ann"
    with pytest.raises(InputError) as error:
        list(events)
    assert "clicks.csv, row 2: " in str(error.value)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[1]", "not a JSON object"),
        ('{"ts": 1396314141, "user": "a"}', "no field 'item'; say --item FIELD"),
        ('{"ts": 1396314141, "user": true, "item": "b"}', "user must be a string or an integer"),
        ('{"ts": true, "user": "a", "item": "b"}', "ts must be seconds"),
        ('{"ts": 1396314141, "user": "a", "item": "b", "value": "x"}', "value must be a finite"),
    ],
)
def test_a_bad_json_line_is_named_with_what_was_expected(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = write(tmp_path, '{"ts": 1396314141, "user": 1, "item": "b"}\n' + line)
    events = source.read(path)
    assert next(events)["user"] == "1"
    with pytest.raises(InputError, match=r"clicks\.csv, row 2: ") as error:
        list(events)
    assert problem in str(error.value)


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, "when,user,item\n1,a,b\n")
    with pytest.raises(InputError, match="no column 'ts'; it has when, user, item; say --ts"):
        next(source.read(path))
    with pytest.raises(InputError, match="no column 'who'; it has when, user, item"):
        next(source.read(path, {"user": "who"}))


def test_a_file_that_is_missing_empty_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        next(source.read(str(tmp_path / "none")))
    with pytest.raises(InputError, match=r"clicks\.csv is empty"):
        next(source.read(write(tmp_path, "")))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(PLAIN.encode())[:-12])
    with pytest.raises(InputError, match="the gzip file is damaged"):
        list(source.read(str(cut)))


def test_an_example_is_every_other_column_with_numbers_parsed(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c,y\n1,x,,1\nnan,1_0,true,\n")
    first, second = source_examples.read(path, "p", "y")
    head = {"predictor": "p", "id": "clicks.csv:1"}
    assert first.features == {**head, "x": {"a": 1.0, "b": "x"}, "ts": 1_000_000_001.0}
    assert first.label == {**head, "y": 1, "ts": 1_000_000_001.0}
    assert second.features["x"] == {"b": "1_0", "c": True}
    assert second.label is None


def test_an_example_takes_its_time_from_the_row(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 2, "ts": 1396314141.5, "y": "up"}\n')
    (example,) = source_examples.read(path, "p", "y")
    assert (example.features["ts"], example.features["x"]) == (1396314141.5, {"a": 2.0})


def test_a_label_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'z'; it has a, y"):
        list(source_examples.read(write(tmp_path, "a,y\n1,2\n"), "p", "z"))
