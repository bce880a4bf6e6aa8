"""Scenarios: lists beside a user's own one, each of what fits the place where it is shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from contracts.checked import Checked, Mistake

Length = Annotated[int, msgspec.Meta(ge=1, le=96)]


def _doc(text: str, **bounds: Any) -> msgspec.Meta:
    return msgspec.Meta(description=text, **bounds)


class Condition(Checked, frozen=True):
    """What an attribute must be; an attribute that is a list fits where one of its values does."""

    any_of: Annotated[
        tuple[str, ...], _doc("the attribute is one of these; numbers, true and false as text")
    ] = ()
    none_of: Annotated[tuple[str, ...], _doc("the attribute is none of these, or not there")] = ()
    at_least: Annotated[float | None, _doc("the attribute is a number and not less")] = None
    at_most: Annotated[float | None, _doc("the attribute is a number and not more")] = None


class Boost(Checked, frozen=True):
    """Items whose chances are multiplied: those named, and those that fit."""

    factor: Annotated[
        float, _doc("what the chance of an item is multiplied by", gt=0, le=1_000_000)
    ] = 2.0
    items: Annotated[tuple[str, ...], _doc("ids of items that it holds for")] = ()
    where: dict[str, Condition] = msgspec.field(default_factory=dict)
    start: Annotated[datetime | None, _doc("from when on; UTC if it is bare")] = None
    end: Annotated[datetime | None, _doc("until when; UTC if it is bare")] = None


class Scenario(Checked, frozen=True):
    """One more list per user who asks for it: `hw:rec:{user}:{scenario}`.

    >>> Scenario(where={"category": Condition(any_of=("tea", "jam"))}, length=5).length
    5
    """

    where: dict[str, Condition] = msgspec.field(default_factory=dict)
    length: Annotated[Length | None, _doc("items in the list; not set, `list_length`")] = None
    repeats: Annotated[
        Literal["never"] | None,
        _doc("`never`: nothing that the user has seen; not set, as in the user's own list"),
    ] = None
    made: Annotated[
        Literal["asked", "always"],
        _doc("whose lists are made: those that a reader has looked for, or everybody's"),
    ] = "asked"
    caps: Annotated[
        dict[str, Length], _doc("how many items may have the same value of an attribute, by name")
    ] = msgspec.field(default_factory=dict)
    boosts: dict[str, Boost] = msgspec.field(default_factory=dict)

    def check(self) -> None:
        """Refuse a boost of nothing."""
        for name, boost in self.boosts.items():
            if not (boost.items or boost.where):
                raise Mistake(("boosts",), f"{name} boosts nothing", "name its items, or say where")
