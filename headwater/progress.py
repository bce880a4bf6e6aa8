"""How far a long command is: a bar on stderr, only where somebody looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EVERY = 1000


class Tell:
    """Called with how many are done; moves the bar if there is one."""

    def __init__(self, progress: Any, total: int | None, verb: str) -> None:
        self.count = 0
        self._progress = progress
        self._task = progress.add_task(verb, total=total)

    def __call__(self, count: int) -> None:
        """Show that `count` are done."""
        self.count = count
        self._progress.update(self._task, completed=count)

    def through(self, rows: Iterator[Any]) -> Iterator[Any]:
        """Yield the rows and count them on the way."""
        for n, row in enumerate(rows, 1):
            yield row
            if n % EVERY == 0:
                self(n)


@contextmanager
def counting(verb: str, total: int | None) -> Iterator[Tell]:
    """Show a bar while the block runs: `verb`, count, rate; it pulses where `total` is unknown."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with progress:
        yield Tell(progress, total, verb)
