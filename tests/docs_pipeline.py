"""The tables of docs/pipeline.md: every key of a pipeline, and the known actions."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

import msgspec

from contracts import checked, pipeline
from contracts.checked import Checked

Rows = Sequence[tuple[str, ...]]


def key_rows() -> Rows:
    """Return key, type, default and meaning of each key."""
    return [("key", "type", "default", "meaning"), *_keys(pipeline.Pipeline, "")]


def action_rows() -> Rows:
    """Return each known action with its weight."""
    known = pipeline.ACTIONS.items()
    return [("action", "weight"), *((f"`{name}`", f"`{a.weight:g}`") for name, a in known)]


def _keys(struct: type[Checked], above: str) -> Iterator[tuple[str, ...]]:
    plain = struct()
    for name, type_ in checked.types(struct).items():
        inner = checked.struct_of(type_)
        if inner is None:
            yield _row(f"{above}{name}", type_, getattr(plain, name))
            continue
        if type(None) in get_args(type_):
            switch = "true, false or a table" if checked.types(inner) else "true or false"
            on = f"`{_toml(getattr(plain, name) is not None)}`"
            yield f"`{above}{name}`", switch, on, _first_line(inner)
        many = "NAME." if get_origin(type_) is dict else ""
        yield from _keys(inner, f"{above}{name}.{many}")


def _row(key: str, type_: Any, default: Any) -> tuple[str, ...]:
    value = "not set" if default is None else f"`{_toml(default)}`"
    return f"`{key}`", checked.words(type_), value, checked.description(type_)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:.15g}" if isinstance(value, float) else msgspec.json.encode(value).decode()


def _first_line(struct: type) -> str:
    return (struct.__doc__ or "").splitlines()[0].rstrip(".")
