"""Segments: who comes from where, with what, at which hour. Readers name them as workers do.

A segment is `name=value`: a name that the pipeline has in `segments.context`, and a value of the
`context` of events or of the `attributes` in `users`.
"""

from collections.abc import Iterable, Mapping

LONGEST_BYTES = 64  # of a segment in UTF-8
MOST_VALUES = 64  # segments per name; of a value that comes later nothing is learned
HOUR = "hour"  # where the context does not say it, the hour of the event in UTC
LARGEST = 1 << 63


def text_of(value: object) -> str:
    """Return a value as text, "" for what has no name: a table, a list, a huge number.

    >>> [text_of(value) for value in ("tea", True, 2.0, 2.5, 10**15, 10**400, {})]
    ['tea', 'true', '2', '2.5', '1000000000000000', '', '']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < LARGEST else ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else ""


def segment(name: str, value: object) -> str:
    """Return the segment of people who have this value, "" where it cannot be one.

    >>> segment("country", "de"), segment("new", True), segment("country", "d" * 60)
    ('country=de', 'new=true', '')
    """
    text = text_of(value)
    whole = f"{name}={text}"
    fits = text != "" and len(whole.encode("utf-8", "surrogatepass")) <= LONGEST_BYTES
    return whole if fits and "\0" not in text else ""


def segments(names: Iterable[str], said: Mapping[str, object]) -> list[str]:
    """Return the segments of somebody of whom this is said, in the order of the names.

    >>> segments(["device", "country"], {"country": "de", "device": "phone", "age": 40})
    ['device=phone', 'country=de']
    """
    found = [segment(name, said[name]) for name in names if name in said]
    return [one for one in found if one]


def hour_of(ts: float) -> str:
    """Return the hour of a time, in UTC.

    >>> hour_of(1_735_689_600.0 + 14.5 * 3_600)
    '14'
    """
    return str(int(ts // 3_600) % 24)
