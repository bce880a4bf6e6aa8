"""What tests run beside themselves: processes under given settings, and work in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from contracts.settings import PREFIX, Settings


def environ(settings: Settings) -> dict[str, str]:
    """Return the variables that give a process exactly these settings."""
    given = {name: str(value) for name, value in msgspec.structs.asdict(settings).items()}
    given["predictors"] = ",".join(f"{name}={path}" for name, path in settings.predictors.items())
    return {PREFIX + name.upper(): value for name, value in given.items()}


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread for as long as the block lasts; it ends when the event is set."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
