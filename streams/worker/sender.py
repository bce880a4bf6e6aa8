"""Produces messages and returns when every replica has them."""

import asyncio
import logging
from collections.abc import Sequence

import aiokafka
from aiokafka import errors
from aiokafka.errors import KafkaError

from contracts.errors import WorkerStalled
from contracts.settings import Settings
from streams.kafka.admin import servers
from streams.shards import Message
from streams.worker.waits import Backoff, Waits

log = logging.getLogger(__name__)
REQUEST_TIMEOUT_MS = 10_000
# Besides what calls itself retriable: no answer in time, and what a new producer cures.
CURABLE = (
    errors.KafkaTimeoutError,
    errors.KafkaUnavailableError,
    errors.BrokerNotAvailableError,
    errors.ProducerClosed,
    errors.ProducerFenced,
    errors.OutOfOrderSequenceNumber,
    errors.UnknownProducerId,
    errors.InvalidProducerIdMapping,
    errors.InvalidProducerEpoch,
    errors.UnrecognizedBrokerVersion,
    errors.CorruptRecordException,
    errors.UnknownError,
)


class Sender:
    """An idempotent producer that outlives brokers; what it repeats arrives twice, never not."""

    def __init__(self, settings: Settings, waits: Waits) -> None:
        self._settings = settings
        self._waits = waits
        self._producer: aiokafka.AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()  # two may send at once; a second producer would be lost

    async def send(self, messages: Sequence[Message]) -> None:
        """Produce all of them, in order, waiting for Kafka where it is away.

        Raises:
            WorkerStalled: Kafka refuses a message for good.
        """
        backoff = Backoff()
        while True:
            try:
                await self._send(messages)
            except KafkaError as error:
                if not _curable(error):
                    raise self._refused(messages, error) from error
                self._waits.declare("producing", f"cannot produce: {error!r}")
                await self.stop()
                await backoff.sleep()
            else:
                self._waits.over("producing")
                return

    def _refused(self, messages: Sequence[Message], error: KafkaError) -> WorkerStalled:
        largest = max(messages, key=lambda message: len(message.value or b""))
        names = sorted({self._settings.topic_prefix + message.topic for message in messages})
        return WorkerStalled(
            f"Kafka does not take a message to {' or '.join(names)} ({error!r}); the largest has "
            f"{len(largest.value or b'')} bytes: raise max.message.bytes of the topic above that, "
            "or see what the topic's configuration and rights forbid; then start the worker again"
        )

    async def _send(self, messages: Sequence[Message]) -> None:
        producer = await self._started()
        prefix = self._settings.topic_prefix
        sent = [
            await producer.send(
                prefix + message.topic,
                message.value,
                message.key,
                message.partition,
                headers=list(message.headers),
            )
            for message in messages
        ]
        await asyncio.gather(*sent)

    async def _started(self) -> aiokafka.AIOKafkaProducer:
        async with self._starting:
            return self._producer or await self._start()

    async def _start(self) -> aiokafka.AIOKafkaProducer:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=servers(self._settings),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_request_size=2 * self._settings.max_message_bytes + (1 << 20),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return producer

    async def stop(self) -> None:
        """Give the connections back."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 2.0)
            except (KafkaError, TimeoutError) as error:
                log.info("the producer did not stop in good order: %r", error)


def _curable(error: KafkaError) -> bool:
    # aiokafka raises the base class itself where no broker has answered.
    return error.retriable or isinstance(error, CURABLE) or type(error) is KafkaError
