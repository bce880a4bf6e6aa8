"""Users: the people of one partition, and how much is remembered of them."""

from typing import NamedTuple

from learners import arrays, seen
from learners.ids import Ids

FIRST_ROWS = 1024


class Shape(NamedTuple):
    """How much is remembered, and how long the lists are."""

    items: int = 200_000
    users: int = 200_000
    history: int = 20
    seen: int = 1_024
    length: int = 20


class Users:
    """The users of one partition; where they are not `served`, others make their lists."""

    def __init__(self, shape: Shape, widths: arrays.Widths, served: bool = True) -> None:
        self.served = served
        self.ids = Ids(shape.users)
        self.widths = widths
        self.rows = arrays.user_rows(min(FIRST_ROWS, shape.users), widths)
        self.pages = seen.pages(FIRST_ROWS)

    def make_room(self, events: int) -> None:
        """Have a row for every slot in use, and a page for each of so many events."""
        rows = arrays.room_for(len(self.rows.chosen), len(self.ids.names))
        if rows > len(self.rows.chosen):
            self.rows = arrays.grown(self.rows, arrays.user_rows(rows, self.widths))
        self.pages = seen.more(self.pages, events)
