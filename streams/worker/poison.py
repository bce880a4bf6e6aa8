"""Poison: records on which a shard raises are found, put aside as dead letters, and passed over.

A shard that raised is half changed, and so is what it shares with others; copying both before
each batch would cost more than the batch. So nothing is mended: the shards are opened again from
their last snapshots, the replay takes the records of the batch that raised one by one, and the one
that raises alone is the poison. Opened once more, the replay makes a dead letter of it. No state
that was ever saved has seen it, and since a state depends on its records alone, every later replay
finds the same. The price, two replays of some seconds of events, is paid by poison only.
"""

import logging
import time
from collections.abc import Callable, Iterator
from itertools import takewhile

from contracts.errors import HeadwaterError, WorkerStalled
from contracts.metrics import DEAD_LETTERS, EVENTS
from streams.dead_letters import dead_letter
from streams.decode import Dead
from streams.shards import Batch, Effects, Telemetry, Unit
from streams.worker.owned_shard import OwnedShard

log = logging.getLogger(__name__)
REASON = "learner_failed"
HOPELESS = 10  # records in a row: it is not the records
REMEMBERED = 1_000  # records of a shard: what is forgotten and replayed is found again
SHOWN = 500  # characters of an error

Place = tuple[str, str]  # name of a shard and topic


class Poison:
    """Hands batches to their shards, known poison left out.

    `reload` opens the shards of a unit from their snapshots, when one of them has raised.
    """

    def __init__(self, telemetry: Telemetry, reload: Callable[[Unit], None]) -> None:
        self._reload = reload
        self._telemetry = telemetry
        self._known: dict[Place, dict[int, str]] = {}
        self._suspected: dict[Place, range] = {}

    def parts(self, owned: OwnedShard, batch: Batch) -> Iterator[Batch]:
        """Cut a batch so that each record that is suspected or known stands alone."""
        place = owned.name, batch.topic
        known, suspected = self._known.get(place, {}), self._suspected.get(place, range(0))
        if not known and not suspected:
            yield batch
            return
        at, records = 0, batch.records
        for k, record in enumerate(records):
            if record.offset in known or record.offset in suspected:
                if at < k:
                    yield batch._replace(records=records[at:k])
                yield batch._replace(records=records[k : k + 1])
                at = k + 1
        if at < len(records):
            yield batch._replace(records=records[at:])

    def fold(self, owned: OwnedShard, batch: Batch) -> Effects | None:
        """Fold a part of a batch; None if the shard raised: its unit is then opened anew.

        Raises:
            HeadwaterError, MemoryError: no record's fault.
        """
        begun = time.perf_counter()
        try:
            effects = self._handle(owned, batch._replace(frozen=owned.frozen))
        except (HeadwaterError, MemoryError):
            raise
        except Exception as error:
            self._note(owned, batch, error)
            self._reload(owned.unit)
            return None
        owned.size.took(len(batch.records), time.perf_counter() - begun)
        owned.next[batch.topic] = batch.records[-1].offset + 1
        return effects

    def _handle(self, owned: OwnedShard, batch: Batch) -> Effects:
        """Known poison becomes a dead letter."""
        known = self._known.get((owned.name, batch.topic))
        detail = known.get(batch.records[0].offset) if known else None
        if detail is None:
            return owned.shard.handle(batch)
        letter = dead_letter(batch.records[0], batch.topic, batch.partition, Dead(REASON, detail))
        self._telemetry.count(DEAD_LETTERS, reason=REASON)
        self._telemetry.count(EVENTS, topic=batch.topic, outcome="dead_letter")
        return Effects((letter,))

    def _note(self, owned: OwnedShard, batch: Batch, error: Exception) -> None:
        """Know what a shard raised on.

        Raises:
            WorkerStalled: it raised on everything lately.
        """
        place, first, last = (owned.name, batch.topic), batch.records[0], batch.records[-1]
        where = f"{batch.topic}, partition {batch.partition}, offset"
        if first is not last:
            log.warning("%s %d to %d: %r; looking for it", where, first.offset, last.offset, error)
            self._suspected[place] = range(first.offset, last.offset + 1)
            return
        log.error("%s %d is put aside", where, first.offset, exc_info=error)
        known = dict(list(self._known.get(place, {}).items())[-REMEMBERED:])
        self._known[place] = known | {first.offset: f"{error!r:.{SHOWN}}"}
        if (
            len(list(takewhile(known.__contains__, range(first.offset - 1, -1, -1)))) + 1
            >= HOPELESS
        ):
            raise WorkerStalled(
                f"'{owned.name}' raised on {HOPELESS} records in a row, the last at {where} "
                f"{first.offset} ({error!r:.200}); see the log, report it, and go back to the "
                "version before"
            )
