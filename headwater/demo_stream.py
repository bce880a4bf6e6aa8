"""What the demo sends: a simulated shop or a user's file, at its pace, from a thread."""

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from contracts.errors import HeadwaterError
from contracts.settings import Settings
from headwater.shop import Change, shop
from headwater.shop_catalogue import ARRIVALS
from headwater.shop_guests import Guests

RATE = 2000.0  # events per second where nobody says otherwise: two cores stay half idle
MOST = 10_000.0  # a file is squeezed into the time at no more than this
USED = 0.95  # of the time a file takes, so that its last events are seen as well
CHANGE_AT = 60_000  # events before the planted change, where the demo has no end
SEED = 1


class Stream(NamedTuple):
    """A stream of interactions: what it is, in words, how many come per second, who is a guest."""

    title: str
    rows: Iterator[dict[str, Any]]
    rate: float
    guests: Guests | None = None


def stream(data: str | None, rate: float | None, seconds: float | None) -> Stream:
    """Return a file's stream, made to last about `seconds`, or the simulated shop's.

    Raises:
        InputError: the file cannot be read.
    """
    if data is None:
        rate = rate or RATE
        change_at = int(rate * seconds / 2) if seconds else CHANGE_AT
        title = f"a SIMULATED shop, taste changes after {change_at:,} events"
        guests = Guests(SEED)
        rows = shop(SEED, change=Change(change_at), segments=True, arrivals=ARRIVALS)
        return Stream(title, guests.among(rows), rate, guests)
    from streams.sources import reader as source

    return Stream(Path(data).name, source.read(data), rate or _rate(data, seconds))


def _rate(data: str, seconds: float | None) -> float:
    if data == "-" or not seconds:
        return RATE
    from streams.sources import reader as source

    most = int(MOST * seconds)  # no need to count further
    rows = sum(1 for _ in itertools.islice(source.read(data), most))
    return max(1.0, rows / (seconds * USED))


class Producing:
    """A thread that sends a stream until it ends or is told to stop.

    `handed` is how many were given to the producer, `produced` how many the broker has
    acknowledged (known at the end), `error` what went wrong.
    """

    def __init__(self, stream: Stream, settings: Settings) -> None:
        self.handed = 0
        self.produced = 0
        self.began_at: float | None = None  # monotonic time of the first event
        self.error: HeadwaterError | None = None
        self._stream, self._settings = stream, settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> int:
        """Send no more, wait for what is on its way, return how many the broker has.

        Raises:
            HeadwaterError: what ended the sending too early.
        """
        self._stop.set()
        self._thread.join()
        self.check()
        return self.produced

    @property
    def running(self) -> bool:
        """Whether it still sends."""
        return self._thread.is_alive()

    def check(self) -> None:
        """Raise what ended the sending too early, if anything did."""
        if self.error is not None:
            raise self.error

    def seconds(self) -> float:
        """Return the time since the first event; 0 before it."""
        return 0.0 if self.began_at is None else time.monotonic() - self.began_at

    def _run(self) -> None:
        from streams.kafka import producer

        try:
            rows = producer.paced(self._until_stopped(), self._stream.rate)
            self.produced = producer.interactions(rows, self._settings, self._tell)
        except HeadwaterError as error:
            self.error = error

    def _tell(self, handed: int) -> None:
        self.handed = handed

    def _until_stopped(self) -> Iterator[dict[str, Any]]:
        for row in self._stream.rows:
            if self._stop.is_set():
                return
            if self.began_at is None:
                self.began_at = time.monotonic()
            yield row
