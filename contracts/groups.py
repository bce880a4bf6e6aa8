"""Groups: items or users with one value of an attribute, for whom figures are shown apart."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from contracts.checked import Checked, Mistake, doc

NONE, OTHER = "none", "other"  # values where an attribute has none, and of those beyond MOST
MOST = 32  # values that are told apart, the first that were told of
LONGEST = 64  # characters of a value; a longer one is cut
WINDOW = 10_000  # judged events that figures are of
FIRST = 10  # places of a list that figures are of

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Groups(Checked, frozen=True):
    """The groups that one attribute makes.

    >>> Groups(floors={"small": 0.2}).of
    'items'
    """

    of: Annotated[Literal["items", "users"], doc("whose attribute it is")] = "items"
    attribute: Annotated[str | None, doc("its name; not set, NAME")] = None
    least: Annotated[
        float,
        doc(
            "a group is served too little where its hit rate is below this part of that of all, "
            "or its share of places below this part of its share of choices",
            gt=0,
            le=1,
        ),
    ] = 0.8
    floors: Annotated[
        dict[str, Share],
        doc("the part of the places of a user's own list that go to items of a group, by value"),
    ] = msgspec.field(default_factory=dict)

    def check(self) -> None:
        """Refuse floors of users, and more of them than a list has places."""
        if self.floors and self.of != "items":
            raise Mistake(("floors", "of"), "are for items", 'remove it, or write of = "items"')
        if len(self.floors) > MOST:
            raise Mistake(("floors",), f"has more than {MOST} groups", "leave some out")
        too_much(self.floors.values(), ("floors",))


def too_much(floors: Iterable[float], fields: tuple[str, ...]) -> None:
    """Raise Mistake where floors together ask for more places than there are."""
    if (total := sum(floors)) > 1 + 1e-9:
        raise Mistake(fields, f"ask for {total:.15g} of all places", "let floors add up to 1")
