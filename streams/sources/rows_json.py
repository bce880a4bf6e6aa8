"""Interactions from JSON lines: one object per line, empty lines drop out."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streams.sources.fields import DIVISORS, FIELDS, identifier, number, seconds
from streams.sources.file import File, fail

Object = dict[str, Any]


def interactions(file: File, columns: Mapping[str, str], ts_unit: str) -> Iterator[Object]:
    """Yield one interaction per line, as `reader.read` promises."""
    divisor = DIVISORS[ts_unit]
    for row, found in objects(file):
        try:
            yield _event(f"{file.name}:{row}", _picked(found, columns), divisor)
        except ValueError as error:
            fail(file, row, str(error))


def objects(file: File) -> Iterator[tuple[int, Object]]:
    """Yield the numbered lines as objects."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    for row, line in enumerate(file.lines, 1):
        if line.isspace():
            continue
        try:
            yield row, decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            fail(file, row, f"not a JSON object in UTF-8: {error}")


def _picked(found: Object, columns: Mapping[str, str]) -> Object:
    if "user" not in found and "session" in found and "user" not in columns:
        found["user"] = found.pop("session")
    for name in columns.values():
        if name not in found:
            raise ValueError(f"no field '{name}'; there are {', '.join(found)}")
    return found | {field: found[name] for field, name in columns.items()}


def _event(event_id: str, found: Object, divisor: float) -> Object:
    for field in ("user", "item", "ts"):
        if field not in found:
            raise ValueError(f"no field '{field}'; say --{field} FIELD")
    event = {
        "event_id": event_id,
        "user": identifier(found["user"], "user"),
        "item": identifier(found["item"], "item"),
        "action": "view",
        "ts": seconds(found["ts"], divisor),
    }
    for field in FIELDS[3:]:
        given = found.get(field)
        if given is not None:
            read = number if field == "value" else identifier
            event[field] = read(given, field)
    if isinstance(found.get("context"), dict):
        event["context"] = found["context"]
    return event
