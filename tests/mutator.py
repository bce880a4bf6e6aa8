"""A seeded mutator: valid interactions, damaged in every way that has been thought of.

    mutator = Mutator(seed=1)
    value, headers = mutator.message()

The same seed gives the same messages. About a third of them are still valid.
"""

import random
from collections.abc import Callable
from typing import Any

import msgspec

from contracts.settings import Settings
from streams.interactions.messages import Origins

NOW = 1_700_000_000.0
HUGE: list[bytes] = [
    b"1e308",
    b"-1e308",
    b"1e999",
    b"9" * 400,
    b"-0.0",
    b"NaN",
    b"Infinity",
    b"18446744073709551616",
    b"0" * 30,
    b"1E+2",
    b"5e-324",
]
ODD: list[Any] = [None, True, False, 0, -1, 1.5, "", [], {}, [[]], {"a": None}, "x" * 300, 2**64]
TEXTS = [
    "\x00", "\ufeff", "\u202eabc", "\ud7ff", "\uffff", "😀" * 80, "é" * 128, "a\u0301", "\\u0000",
    "'; drop", "{user}", "%d", "hw:rec:", "\n\r\t", '"', "\\",
]  # fmt: skip
BYTES = [b"\xff", b"\xfe\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b"\\ud800"]
FIELDS = ("event_id", "user", "item", "action", "ts")
SIGNED = Origins(Settings())
LARGE = 10_000  # bytes of a message that is not made larger
ORIGINS = [b"", b":", b"0", b"a:b", b"1:2:3", b"-1:4", b"99:1", b"0:" + b"9" * 40, None]


class Mutator:
    """Gives messages, one at a time, for ever."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - it shall be foreseeable
        self._n = 0
        self._last = b"{}"
        self._ways: list[Callable[[bytes], bytes | None]] = [
            self._flip,
            self._cut,
            self._splice,
            self._swap_type,
            self._huge,
            self._odd_text,
            self._bytes_within,
            self._lose_field,
            self._odd_time,
            self._nest,
            self._repeat,
            lambda _: None,
        ]

    def message(self) -> tuple[bytes | None, list[tuple[str, bytes | None]]]:
        """Return a value and headers as a re-keyed event would have them, good or not."""
        good = self._valid()
        value: bytes | None = good
        for _ in range(self._dice.choice((0, 0, 0, 1, 1, 1, 2, 4))):
            if value is not None:
                value = self._dice.choice(self._ways)(value)
        self._last = good
        return value, self._headers(good)

    def _valid(self) -> bytes:
        self._n += 1
        dice = self._dice
        event: dict[str, Any] = {
            "event_id": f"e{self._n if dice.random() < 0.9 else self._n - dice.randrange(9)}",
            "user": f"u{int(3_000 * dice.random() ** 2)}",
            "item": dice.randrange(4_000) if dice.random() < 0.1 else f"i{dice.randrange(4_000)}",
            "action": "view",
            "ts": NOW - dice.expovariate(0.01),
        }
        if dice.random() < 0.2:
            event |= {"value": dice.random(), "context": {"a": [1, "é"]}, "session": self._n}
        return msgspec.json.encode(event)

    def _headers(self, good: bytes) -> list[tuple[str, bytes | None]]:
        if self._dice.random() < 0.1:
            return [("origin", self._dice.choice(ORIGINS))] * self._dice.randrange(3)
        user = msgspec.json.decode(good)["user"]
        return [("x", None), ("origin", SIGNED.header(self._dice.randrange(4), self._n, user))]

    def _flip(self, value: bytes) -> bytes:
        changed = bytearray(value)
        for _ in range(self._dice.randrange(1, 4)):
            if changed:
                changed[self._at(changed) - 1] ^= 1 << self._dice.randrange(8)
        return bytes(changed)

    def _cut(self, value: bytes) -> bytes:
        at = self._at(value)
        return value[:at] if self._dice.random() < 0.5 else value[at:]

    def _splice(self, value: bytes) -> bytes:
        return value[: self._at(value)] + self._last[self._at(self._last) :]

    def _swap_type(self, value: bytes) -> bytes:
        return self._set(value, self._dice.choice(ODD))

    def _odd_text(self, value: bytes) -> bytes:
        return self._set(value, self._dice.choice(TEXTS) * self._dice.randrange(1, 4))

    def _set(self, value: bytes, odd: Any) -> bytes:
        try:
            event = msgspec.json.decode(value, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return value
        event[self._dice.choice((*FIELDS, "value", "context", "session", "new"))] = odd
        return msgspec.json.encode(event)

    def _huge(self, value: bytes) -> bytes:
        field = self._dice.choice((b'"ts"', b'"value"', b'"user"', b'"new"'))
        return value[:-1] + b"," + field + b":" + self._dice.choice(HUGE) + b"}"

    def _bytes_within(self, value: bytes) -> bytes:
        at = self._at(value)
        return value[:at] + self._dice.choice(BYTES) + value[at:]

    def _lose_field(self, value: bytes) -> bytes:
        return value.replace(self._dice.choice(FIELDS).encode(), b"lost", 1)

    def _odd_time(self, value: bytes) -> bytes:
        times = (NOW * 1000, NOW * 1e6, NOW + 86_000, NOW + 87_000, 946_684_800, 0, -1, NOW - 1e8)
        return value[:-1] + b',"ts":%r}' % self._dice.choice(times)

    def _nest(self, value: bytes) -> bytes:
        levels = self._dice.choice((3, 300, 3_000))
        return value[:-1] + b',"context":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"

    def _repeat(self, value: bytes) -> bytes:
        return value * self._dice.choice((2, 3, 700)) if len(value) < LARGE else value

    def _at(self, value: bytes | bytearray) -> int:
        return self._dice.randrange(len(value) + 1)
