"""Reads records whose header keys are not UTF-8, which Kafka allows and aiokafka ends at.

aiokafka's own parser is in C and far faster; this one is in use only while such a record is near.
Both are for all consumers of a process: aiokafka knows no choice by consumer.
"""

import logging
import time
from typing import Any

import aiokafka.consumer.fetcher as client
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint

log = logging.getLogger(__name__)
strict = client.MemoryRecords
UNREADABLE = ord("?")
WHILE_S = 30.0


class Leniency:
    """Until when records are read so."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, error: UnicodeDecodeError) -> None:
        """Let what is fetched for some time from now on be read so."""
        if time.monotonic() >= self._until:
            log.warning("a header's key is not UTF-8 (%s); it is read with '?' instead", error)
        self._until = time.monotonic() + WHILE_S
        client.MemoryRecords = Records

    def look(self) -> None:
        """End it when the time is over."""
        if client.MemoryRecords is Records and time.monotonic() >= self._until:
            client.MemoryRecords = strict


leniency = Leniency()


class Batch(_DefaultRecordBatchPy):
    """A batch in which unreadable bytes of header keys become question marks."""

    def _read_msg(self, *args: Any) -> Any:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            self._mend()
            return super()._read_msg(*args)

    def _mend(self) -> None:
        buffer, pos = self._buffer, self._pos
        for _ in ("length", "attributes", "timestamp", "offset"):
            _, pos = decode_varint(buffer, pos)
        for _ in ("key", "value"):
            size, pos = decode_varint(buffer, pos)
            pos += max(size, 0)
        headers, pos = decode_varint(buffer, pos)
        for _ in range(headers):
            size, pos = decode_varint(buffer, pos)
            key = buffer[pos : pos + size]
            buffer[pos : pos + size] = bytes(b if b < 128 else UNREADABLE for b in key)
            size, pos = decode_varint(buffer, pos + size)
            pos += max(size, 0)


class Records(_MemoryRecordsPy):
    """What one fetch brought of one partition, in such batches."""

    def next_batch(self, *args: Any) -> Any:
        """Return the next batch, None if there is none."""
        piece = self._next_slice
        if piece is None or len(piece) < self.MIN_SLICE or piece[self.MAGIC_OFFSET] < 2:
            return super().next_batch(*args)
        self._cache_next()
        return Batch(piece)
