"""Tables in a terminal, and how long and how much is said in them."""

from collections.abc import Collection, Iterable, Sequence

STEPS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))
SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> None:
    """Print rows under a head; columns named in `right` by their number end flush."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim")
    for n, name in enumerate(head):
        shown.add_column(name, justify="right" if n in right else "left")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(soft_wrap=True).print(shown)


def age(seconds: float) -> str:
    """Return an age in one unit.

    >>> age(5.0), age(7_300.0)
    ('5 s', '2 h')
    """
    return next(
        (f"{seconds / s:.0f} {unit}" for unit, s in STEPS if seconds >= s), f"{seconds:.0f} s"
    )


def size(count: int) -> str:
    """Return bytes in one unit.

    >>> size(999), size(2_500_000)
    ('999 B', '2.5 MB')
    """
    return next((f"{count / s:.1f} {unit}" for unit, s in SIZES if count >= s), f"{count} B")
