"""What segments chose is what the log says, of one partition to the byte, of two by their sums."""

import msgspec
import pytest

from contracts.settings import Settings
from streams.shards import PlainRecord
from streams.worker.loader import SHARED
from tests.forget_world import TWO, Town, worker_of
from tests.hindsight_world import Village, differing, looked_back
from tests.orders_world import Living, Places, run
from tests.test_segments import HERE

BOTH = msgspec.structs.replace(TWO, pipeline=HERE)


def telling(record: PlainRecord) -> PlainRecord:
    """Return an event that says where its user comes from."""
    event = msgspec.json.decode(record.value or b"")
    country = ["de", "fr", "it"][len(event["user"]) % 3]
    value = {**event, "context": {"country": country, "device": record.offset % 2}}
    return record._replace(value=msgspec.json.encode(value))


class TellingTown(Town):
    """A town of two partitions whose people say where they come from."""

    def record(self, user: str, offset: int) -> PlainRecord:
        """Return a new event."""
        return telling(super().record(user, offset))


class TellingVillage(Village):
    """The same of one partition."""

    def record(self, user: str, offset: int) -> PlainRecord:
        """Return a new event."""
        return telling(super().record(user, offset))


async def lived(worker: Living, town: Town) -> None:
    town.crowd(80)
    await worker.settle()
    await worker.save()


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_saved_state_has_the_segments_of_the_log(partitions: int) -> None:
    settings: Settings = msgspec.structs.replace(BOTH, partitions=partitions)

    async def go(_: Places) -> None:
        town = TellingTown() if partitions == 2 else TellingVillage()
        worker = worker_of(town, settings)
        await worker.open(*range(partitions))
        await lived(worker, town)
        await lived(worker, town)
        assert worker.unit.model.segments.known
        report = await looked_back(worker, town, settings)
        assert differing(report) == []
        parts = {found.part for found in report.findings if found.shard == SHARED}
        assert ("segments" in parts) == (partitions == 2)
        worker.unit.model.world.segments.total[:] *= 2.0
        await lived(worker, town)
        said = differing(await looked_back(worker, town, settings))
        assert [found[1] for found in said] == ["segments" if partitions == 2 else "items"]

    run(go)
