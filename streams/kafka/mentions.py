"""Reads all records of some logs and keeps those that mention somebody."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiokafka
import msgspec

from contracts.settings import Settings
from streams.kafka.admin import servers
from streams.kafka.aside import consumer

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
        text, found = msgspec.json.encode(name)[1:-1], list[Any]()
        while await client.position(tp) < end:
            got = await client.getmany(tp, timeout_ms=POLL_MS, max_records=AT_ONCE)
            found += [r for r in got.get(tp, ()) if r.offset < end and _mentions(r.value, text)]
        return found


def _mentions(value: bytes | None, text: bytes) -> bool:
    """Tell whether a text may stand in a message: as it is, or in some other spelling of JSON."""
    return value is not None and (text in value or b"\\u" in value)
