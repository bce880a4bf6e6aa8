"""Frozen: a recommender's state as named parts of bytes, and back.

Arrays are written as arrays (npy), names as MessagePack; nothing is pickled. Users are saved with
the names of the items that they refer to: another worker, or this one later, may have other slots
for them, and what it has let go leaves their histories and lists.
"""

import io
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import StateRefused
from contracts.pipeline import Pipeline, digest
from learners import seen
from learners.arrays import I32, SegmentRows, Sessions, UserRows, World
from learners.forget import forget_in_users
from learners.ids import Ids
from learners.recommender import Recommender
from learners.users import Users


def dump_items(pipeline: Pipeline, world: World, ids: Ids) -> dict[str, bytes]:
    """Return what all partitions share."""
    return {
        "pipeline": digest(pipeline).encode(),
        "ids": _dump_ids(ids),
        **_dump_arrays("items", world.items, len(ids.names)),
        **_dump_arrays("trend", world.trend, None),
        **_dump_sessions(world.sessions),
        **_dump_arrays("head", world.head, None),
        **_dump_arrays("watch", world.watch, None),
        **_dump_segments(world.segments),
        **_dump_newcomers(world, ids),
    }


def load_items(model: Recommender, parts: Mapping[str, bytes]) -> None:
    """Stand where `dump_items` was called; `model` must be new."""
    if parts["pipeline"].decode() != digest(model.pipeline):
        raise StateRefused(
            "the snapshot was learned by another pipeline than the settings name; set "
            "HEADWATER_PIPELINE back, or rebuild from the log: `headwater worker --rebuild`"
        )
    _load_ids(model.ids, parts["ids"])
    model.make_room()
    world = model.world
    _load_arrays("items", world.items, parts)
    _load_arrays("trend", world.trend, parts)
    _load_sessions(world.sessions, parts)
    _load_arrays("head", world.head, parts)
    if "watch.seen" in parts:  # else of a version that did not look for turns
        _load_arrays("watch", world.watch, parts)
    if "segments.name" in parts:  # else there are none
        _load_arrays("segments", world.segments, parts)
        model.segments.follow()
    if "newcomers" in parts:
        _load_newcomers(model, parts)
    world.items.dirty[:] = False  # what waited for publishing is published when it changes again


def dump_users(users: Users, items: Ids) -> dict[str, bytes]:
    """Return what is known of a partition's users."""
    rows = _without_leftovers(users.rows)
    used = np.zeros(len(items.names) + 1, np.bool_)  # the last one is for -1
    entry = seen.packed(users.pages, users.rows.page[: len(users.ids.names)])
    for column in (rows.history, rows.listed, seen.slots(entry)):
        used[column] = True
    slots = np.flatnonzero(used[:-1]).tolist()
    names = [items.names[slot] for slot in slots]
    return {
        "ids": _dump_ids(users.ids),
        "items": msgspec.msgpack.encode((slots, names)),
        **_dump_arrays("users", rows, len(users.ids.names)),
        "pages": _npy(entry),
    }


def load_users(users: Users, items: Ids, parts: Mapping[str, bytes]) -> None:
    """Stand where `dump_users` was called; `users` must be new, the items loaded before."""
    _load_ids(users.ids, parts["ids"])
    users.make_room(0)
    parts = with_all_columns(parts)
    _load_arrays("users", users.rows, parts)
    slots, names = msgspec.msgpack.decode(parts["items"], type=tuple[list[int], list[str]])
    nobody = len(items.names)
    now, shown = np.full((2, max(slots, default=-1) + 2), -1, np.int32)  # the last one is for -1
    now[slots] = np.where((found := items.find_all(names)) >= 0, found, nobody)
    shown[slots] = np.where((found := items.find_shown(names)) >= 0, found, nobody)
    users.rows.history[:] = now[users.rows.history]
    users.rows.listed[:] = shown[users.rows.listed]
    entry = seen.renamed(array(parts["pages"]), now)
    users.pages, users.rows.page[:] = seen.unpacked(entry, users.rows.met)
    forget_in_users(users.rows, users.pages, np.arange(nobody + 1) == nobody)


def with_all_columns(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return users as dumped, with what older versions did not note: plain choices of their own."""
    if {"users.gave", "users.saw", "users.rekeyed"} <= parts.keys():
        return dict(parts)
    history = array(parts["users.history"])
    plain: dict[str, NDArray[Any]] = {
        "users.gave": (history >= 0).astype(np.float32),
        "users.saw": np.full(history.shape, np.iinfo(np.uint8).max, np.uint8),
        "users.rekeyed": np.zeros(len(history), np.bool_),
    }
    return {name: _npy(column) for name, column in plain.items() if name not in parts} | dict(parts)


def _without_leftovers(rows: UserRows) -> UserRows:
    """Return rows whose entries beyond the ones in use are -1, and pages not told apart.

    Which page of the pool is whose depends on how events were cut into batches.
    """

    def clean(column: I32, size: I32) -> I32:
        return np.where(np.arange(column.shape[1]) < size[:, None], column, np.int32(-1))

    return rows._replace(
        history=clean(rows.history, rows.chosen),
        listed=clean(rows.listed, rows.length),
        page=np.where(rows.page >= 0, np.int32(0), np.int32(-1)),
    )


def _dump_newcomers(world: World, ids: Ids) -> dict[str, bytes]:
    """Return who was lent a slot, and what was tried; nothing where nobody ever is."""
    if not ids.reserved:
        return {}
    names = msgspec.msgpack.encode((ids.given, ids.names[: ids.reserved]))
    return {"newcomers": names, **_dump_arrays("tried", world.tried, len(ids.names))}


def _load_newcomers(model: Recommender, parts: Mapping[str, bytes]) -> None:
    given, names = msgspec.msgpack.decode(parts["newcomers"], type=tuple[int, list[str]])
    for slot, name in enumerate(names):
        if name and name not in model.ids:
            model.ids.lend(slot, name)
    model.ids.given = given
    _load_arrays("tried", model.world.tried, parts)


def _dump_ids(ids: Ids) -> bytes:
    return msgspec.msgpack.encode(ids.dump())


def _load_ids(ids: Ids, state: bytes) -> None:
    ids.load(*msgspec.msgpack.decode(state, type=tuple[list[str], list[int], int, list[int]]))


def _dump_arrays(name: str, rows: Any, used: int | None) -> dict[str, bytes]:
    return {f"{name}.{field}": _npy(a[:used]) for field, a in rows._asdict().items()}


def _load_arrays(name: str, rows: Any, parts: Mapping[str, bytes]) -> None:
    for field, column in rows._asdict().items():
        saved = array(parts[f"{name}.{field}"])
        if saved.shape[1:] != column.shape[1:]:
            raise StateRefused(
                f"the snapshot holds {saved.shape[1:]} entries per row in {name}.{field}, this "
                f"worker {column.shape[1:]}; set history_length back if it was changed, or rebuild "
                "from the log: `headwater worker --rebuild`"
            )
        column[: len(saved)] = saved


def _dump_sessions(sessions: Sessions) -> dict[str, bytes]:
    """Return the sessions that somebody has; most of a memory that is not full are nobody's."""
    slot = np.flatnonzero(sessions.owner)
    used = Sessions(sessions.item[slot], sessions.size[slot], sessions.owner[slot])
    return {"sessions.slot": _npy(slot), **_dump_arrays("sessions", used, None)}


def _dump_segments(segments: SegmentRows) -> dict[str, bytes]:
    """Return the rows in use; nothing where a pipeline looks at no context."""
    if not len(segments.size):
        return {}
    return _dump_arrays("segments", segments, int(np.count_nonzero(segments.name[:, 0])))


def _load_sessions(sessions: Sessions, parts: Mapping[str, bytes]) -> None:
    slot = array(parts["sessions.slot"])
    for field, column in sessions._asdict().items():
        column[slot] = array(parts[f"sessions.{field}"])


def array(data: bytes) -> NDArray[Any]:
    """Return an array as it was dumped; nothing is unpickled."""
    loaded: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return loaded


def _npy(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()
