"""Frozen: a recommender's state as named parts of bytes, and back.

Arrays are written as arrays (npy), names as MessagePack; nothing is pickled.
"""

import io
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from learners.arrays import ItemRows, Trend, UserRows
from learners.ids import Ids
from learners.recommender import Recommender, Users


def dump_items(model: Recommender) -> dict[str, bytes]:
    """Return what is known of the items."""
    return {
        "ids": _dump_ids(model.ids),
        **_dump_arrays("items", model.rows, len(model.ids.names)),
        **_dump_arrays("trend", model.trend, None),
    }


def load_items(model: Recommender, parts: Mapping[str, bytes]) -> None:
    """Stand where `dump_items` was called."""
    _load_ids(model.ids, parts["ids"])
    model.make_room()
    _load_arrays("items", model.rows, parts)
    _load_arrays("trend", model.trend, parts)
    model.rows.dirty[:] = False  # what waited for publishing is published when it changes again


def dump_users(users: Users) -> dict[str, bytes]:
    """Return what is known of a partition's users."""
    return {"ids": _dump_ids(users.ids), **_dump_arrays("users", users.rows, len(users.ids.names))}


def load_users(users: Users, parts: Mapping[str, bytes]) -> None:
    """Stand where `dump_users` was called."""
    _load_ids(users.ids, parts["ids"])
    users.make_room()
    _load_arrays("users", users.rows, parts)


def _dump_ids(ids: Ids) -> bytes:
    return msgspec.msgpack.encode(ids.dump())


def _load_ids(ids: Ids, state: bytes) -> None:
    ids.load(*msgspec.msgpack.decode(state, type=tuple[list[str], list[int], int]))


def _dump_arrays(
    name: str, rows: ItemRows | UserRows | Trend, used: int | None
) -> dict[str, bytes]:
    return {f"{name}.{field}": _npy(a[:used]) for field, a in rows._asdict().items()}


def _load_arrays(name: str, rows: ItemRows | UserRows | Trend, parts: Mapping[str, bytes]) -> None:
    for field, array in rows._asdict().items():
        saved = np.load(io.BytesIO(parts[f"{name}.{field}"]), allow_pickle=False)
        array[: len(saved)] = saved


def _npy(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()
