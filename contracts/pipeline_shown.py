"""A pipeline as lines of key and value, each with where it comes from."""

from typing import Any

import msgspec

from contracts import pipeline, toml_struct
from contracts.checked import Checked
from contracts.pipeline import Generators, Pipeline


def table(where: str) -> dict[str, tuple[Any, str]]:
    """Return each value by its dotted key, with its origin: file, name or `default`.

    A generator without keys is True; one that is left out is False.

    >>> table("")["generators.recent"], table("")["actions.cart.weight"]
    ((True, 'default'), (2.0, 'default'))

    Raises:
        SettingsError: as `contracts.pipeline.read`.
    """
    values = _values(pipeline.read(where), "")
    if where.endswith(".toml"):
        given = toml_struct.named(where)
    else:
        plain = _values(Pipeline(), "")
        given = {key for key in values if key not in plain or plain[key] != values[key]}
    return {key: (value, where if key in given else "default") for key, value in values.items()}


def _values(struct: Checked, above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(struct).items():
        left_out = value is None and isinstance(struct, Generators)
        found |= _flat(f"{above}{name}", False if left_out else value)
    return found


def _flat(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for n in value for k, v in _flat(f"{key}.{n}", value[n]).items()}
    if isinstance(value, Checked):
        return _values(value, f"{key}.") or {key: True}
    return {key: value}
