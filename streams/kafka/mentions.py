"""Reads all records of some logs and keeps those that mention somebody."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import aiokafka
import msgspec

from contracts.settings import Settings
from streams.kafka.admin import servers
from streams.kafka.aside import consumer
from streams.shards import Record

R = TypeVar("R", bound=Record)
AT_ONCE = 20_000
POLL_MS = 500


class MentionReader:
    """Reads with a consumer of its own, without a group, one question at a time."""

    def __init__(self, settings: Settings) -> None:
        self._servers = servers(settings)
        self._prefix = settings.topic_prefix

    async def __call__(
        self, partition: int, until: Mapping[str, int], name: str
    ) -> dict[str, Sequence[Any]]:
        """Return, by topic, the records before these offsets in which a name may stand.

        Raises:
            KafkaError: no broker answers in time.
        """
        async with consumer(self._servers) as client:
            return {
                topic: await self._read(
                    client, aiokafka.TopicPartition(self._prefix + topic, partition), end, name
                )
                for topic, end in until.items()
            }

    async def _read(
        self, client: aiokafka.AIOKafkaConsumer, tp: aiokafka.TopicPartition, end: int, name: str
    ) -> list[Any]:
        client.assign([tp])
        await client.seek_to_beginning(tp)
        found = list[Any]()
        while await client.position(tp) < end:
            got = await client.getmany(tp, timeout_ms=POLL_MS, max_records=AT_ONCE)
            found += mentioning([r for r in got.get(tp, ()) if r.offset < end], name)
        return found


def mentioning(records: Sequence[R], name: str) -> list[R]:
    """Return the records in which a name may stand: as it is, or in some other spelling of JSON."""
    text = msgspec.json.encode(name)[1:-1]
    return [r for r in records if r.value is not None and (text in r.value or b"\\u" in r.value)]
