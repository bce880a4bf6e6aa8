"""Adopt: snapshots of one log become those of another, if somebody says how the two fit.

`same`: the other log holds the same events at the same offsets, as a mirrored cluster has them or
one that was restored. `start`: its topics begin at offset 0 with what comes after the snapshot.
Nobody can check the former, only that the offsets lie in the log; the latter is checked.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, NamedTuple

import msgspec

from contracts.errors import StateRefused, TopicsDiffer
from contracts.topics import CONTROL
from state.manifest import Log, Manifest, Offsets, cut
from streams.interactions.intake import for_new_topics
from streams.interactions.moving import EMPTY
from streams.kafka.log_ends import Bounds

Place = tuple[str, str]
How = Literal["same", "start"]
Pick = Callable[[Collection[Place]], Mapping[Place, bytes]]
# Parts that remember offsets, which mean nothing where topics begin anew.
RENEWED: dict[str, Callable[[bytes], bytes]] = {
    "intake": for_new_topics,
    "guests": lambda _: EMPTY,
}


class Adopted(NamedTuple):
    """Pages for the other log, and chunks that they name and that are new."""

    manifests: dict[str, Manifest]
    chunks: dict[Place, bytes]


def check_log(manifests: Mapping[str, Manifest], here: Log) -> None:
    """Raise StateRefused or TopicsDiffer unless all snapshots belong to this log."""
    check_layout(manifests, here)
    for name, manifest in manifests.items():
        there, mine = manifest.log, here.only(manifest.log.topics)
        if (there.cluster, there.topics) != (mine.cluster, mine.topics):
            raise StateRefused(
                f"snapshot {name!r} belongs to the Kafka cluster '{there.cluster}' and its topics, "
                f"HEADWATER_KAFKA leads to '{mine.cluster}', or the topics were made anew; if they "
                "hold the same events at the same offsets say `--adopt same`, if they are new and "
                "what comes next goes there say `--adopt start`"
            )


def check_layout(manifests: Mapping[str, Manifest], here: Log) -> None:
    """Raise TopicsDiffer unless users stand in the same partitions in both logs."""
    for name, manifest in manifests.items():
        there, mine = manifest.log, here.only(manifest.log.topics)
        if (there.partitions, there.partitioner) != (mine.partitions, mine.partitioner):
            raise TopicsDiffer(
                f"snapshot {name!r} was made with {_layout(there)}, here it is {_layout(mine)}: "
                "users would stand in other partitions; make topics with as many partitions, and "
                "set HEADWATER_PARTITIONS and HEADWATER_PARTITIONER so"
            )


def check_offsets(
    manifests: Mapping[str, Manifest], bounds: Mapping[tuple[str, int], Bounds], how: How
) -> None:
    """Raise StateRefused unless workers can read on from the snapshots."""
    for name, manifest in manifests.items():
        for topic, partition, offset in _each(manifest.offsets):
            if topic == CONTROL.name:  # how many orders were obeyed; their log is not read on
                continue
            first, end = bounds[topic, partition]
            if how == "start" and first:
                raise StateRefused(
                    f"'{topic}', partition {partition}, begins at offset {first}, not 0: events "
                    "were deleted there, so it is not new; make new topics for `--adopt start`"
                )
            if how == "same" and not first <= offset <= end:
                raise StateRefused(
                    f"snapshot {name!r} continues at offset {offset} of '{topic}', partition "
                    f"{partition}, whose log is {first} to {end}; it is not the log of this state"
                )


def adopt(manifests: Mapping[str, Manifest], here: Log, how: How, pick: Pick) -> Adopted:
    """Return the snapshots as those of another log; `pick` gives chunks of theirs."""
    moved = {
        n: msgspec.structs.replace(m, log=here.only(m.log.topics)) for n, m in manifests.items()
    }
    if how == "same":
        return Adopted(moved, {})
    old = [(name, part) for name, m in moved.items() for part in RENEWED if part in m.parts]
    found = pick({(name, chunk) for name, part in old for chunk in moved[name].parts[part]})
    new: dict[Place, bytes] = {}
    for name, manifest in moved.items():
        parts = dict(manifest.parts)
        for part in RENEWED.keys() & parts.keys():
            state = b"".join(found[name, chunk] for chunk in parts[part])
            pieces = cut({part: RENEWED[part](state)})[part]
            new |= {(name, piece.name): bytes(piece.data) for piece in pieces}
            parts[part] = [piece.name for piece in pieces]
        zero = {topic: dict.fromkeys(at, 0) for topic, at in manifest.offsets.items()}
        moved[name] = msgspec.structs.replace(manifest, offsets=zero, parts=parts)
    return Adopted(moved, new)


def _each(offsets: Offsets) -> list[tuple[str, int, int]]:
    return [(topic, p, offset) for topic, at in offsets.items() for p, offset in at.items()]


def _layout(log: Log) -> str:
    counts = ", ".join(f"{topic}={n}" for topic, n in sorted(log.partitions.items()))
    return f"partitions {counts} placed by {log.partitioner}"
