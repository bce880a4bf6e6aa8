"""What can be gone back to: the instants at which all shards were saved, and what they share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.errors import InputError
from state.manifest import Manifest, Offsets
from state.snapshots import Snapshots


class Version(NamedTuple):
    """One instant: the snapshots taken then by name, and what lacks one.

    `missing` are names that have other snapshots, and partitions of which no shard has any.
    """

    name: str
    created: float
    shards: Mapping[str, Manifest]
    missing: Sequence[str]

    @property
    def complete(self) -> bool:
        """Whether every partition, and what they share, can go back to it."""
        return not self.missing

    @property
    def size(self) -> int:
        """Bytes of the state; in Redis what did not change is there once for several versions."""
        return sum(manifest.size for manifest in self.shards.values())

    @property
    def offsets(self) -> Offsets:
        """Up to where the shards had learned their partitions."""
        return _joined(self.shards.values())


async def read(store: Snapshots) -> list[Version]:
    """Return all versions of good snapshots, newest first.

    Raises:
        StateRefused: one was written by another format or River.
    """
    return group({name: await store.all(name) for name in await store.storage.names()})


def group(saved: Mapping[str, Sequence[Manifest]]) -> list[Version]:
    """Return the versions of snapshots by name, newest first.

    >>> from state.manifest import Log
    >>> log = Log("a cluster", {"interactions": "an id"}, {"interactions": 2})
    >>> one = Manifest(log, {"interactions": {0: 5}}, 1, 60.0, {}, 0)
    >>> group({"0": [one]})[0].missing
    ['interactions 1']
    """
    found: dict[str, dict[str, Manifest]] = {}
    for name, manifests in saved.items():
        for manifest in reversed(manifests):  # of several of one name the newest counts
            found.setdefault(manifest.version, {})[name] = manifest
    known = [name for name, manifests in saved.items() if manifests]
    made = [
        Version(name, max(m.created for m in shards.values()), shards, _missing(shards, known))
        for name, shards in found.items()
    ]
    return sorted(made, key=lambda version: version.created, reverse=True)


def choose(found: Sequence[Version], wanted: str = "") -> list[Version]:
    """Return the complete versions, or the one of that name.

    Raises:
        InputError: there is none, or it is not complete.
    """
    chosen = [v for v in found if (v.name == wanted if wanted else v.complete)]
    if not chosen:
        what = f"version {wanted}" if wanted else "version that has all partitions"
        raise InputError(f"there is no {what}; see `headwater versions`")
    if not chosen[0].complete:
        raise InputError(f"version {wanted} lacks {', '.join(chosen[0].missing)}; name another")
    return chosen


def _missing(shards: Mapping[str, Manifest], known: Sequence[str]) -> list[str]:
    lacking = [name for name in known if name not in shards]
    there = _joined(shards.values())
    counts = {t: n for m in shards.values() for t, n in m.log.partitions.items()}
    return lacking + [
        f"{topic} {partition}"
        for topic, count in sorted(counts.items())
        for partition in range(count)
        if partition not in there.get(topic, {})
    ]


def _joined(manifests: Iterable[Manifest]) -> Offsets:
    joined: Offsets = {}
    for manifest in manifests:
        if manifest.epoch:  # what shards share has none; it says how far the shards have come
            for topic, offsets in manifest.offsets.items():
                joined.setdefault(topic, {}).update(offsets)
    return joined
