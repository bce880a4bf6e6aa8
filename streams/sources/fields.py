"""What one cell of a file may be: an id, a time, a number. A `ValueError` says what is wrong."""

import math
from datetime import UTC, datetime

from contracts.events import EARLIEST_TS, MAX_ID_BYTES

FIELDS = ("user", "item", "ts", "action", "value", "event_id", "session", "impression")
LATEST_TS = 253_402_300_800.0  # the year 10000
MS_PER_S = 1000.0
DIVISORS = {"s": 1.0, "ms": MS_PER_S}


def identifier(value: object, field: str) -> str:
    """Return an id as the worker will see it: an integer becomes its decimal string.

    >>> identifier(7, "item")
    '7'
    """
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - one kind of error for a wrong cell
            f"{field} must be a string or an integer, got {value!r}"
        )
    if not value:
        raise ValueError(f"{field} is empty")
    if len(value) * 4 > MAX_ID_BYTES and len(value.encode()) > MAX_ID_BYTES:
        raise ValueError(f"{field} is longer than {MAX_ID_BYTES} bytes: '{value[:32]}…'")
    return value


def seconds(value: object, divisor: float) -> float:
    """Return a time in seconds: a number divided by `divisor`, or an ISO date (UTC if it is bare).

    >>> seconds("2014-04-01T01:02:21Z", 1.0)
    1396314141.0
    """
    try:
        ts = float(value) / divisor  # type: ignore[arg-type]  # TypeError is answered below
    except (TypeError, ValueError, OverflowError):
        ts = date(value)
    if EARLIEST_TS <= ts < LATEST_TS and not isinstance(value, bool):
        return ts
    raise ValueError(_strange(value, ts, divisor))


def number(value: object, field: str) -> float:
    """Return a finite number.

    >>> number("2.50", "value")
    2.5
    """
    found = plain_number(value) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError(f"{field} must be a finite number, got {value!r}")
    return float(found)


def plain_number(text: str) -> float | None:
    """Return the number that a text spells, `None` if it spells none (Python's `1_0` is none)."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def date(value: object, field: str = "ts") -> float:
    """Return an ISO date in seconds, in UTC if it is bare.

    >>> date("2026-01-01")
    1767225600.0
    """
    try:
        found = datetime.fromisoformat(value)  # type: ignore[arg-type]  # TypeError is answered here
    except (TypeError, ValueError):
        raise ValueError(f"{field} must be seconds or an ISO date, got {value!r:.80}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _strange(value: object, ts: float, divisor: float) -> str:
    if divisor == 1.0 and EARLIEST_TS <= ts / MS_PER_S < LATEST_TS:
        return f"ts {value!r} looks like milliseconds; say --ts-unit ms"
    if divisor == MS_PER_S and EARLIEST_TS <= ts * MS_PER_S < LATEST_TS:
        return f"ts {value!r} looks like seconds; leave out --ts-unit ms"
    return f"ts must be seconds between the years 2000 and 9999, got {value!r}"
