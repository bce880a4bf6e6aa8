"""Scenarios: lists beside a user's own one, each of what fits the place where it is shown."""

import math
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from contracts.checked import Checked, Mistake, doc

Length = Annotated[int, msgspec.Meta(ge=1, le=96)]


class Condition(Checked, frozen=True):
    """What an attribute must be; an attribute that is a list fits where one of its values does."""

    any_of: Annotated[
        tuple[str, ...], doc("the attribute is one of these; numbers, true and false as text")
    ] = ()
    none_of: Annotated[tuple[str, ...], doc("the attribute is none of these, or not there")] = ()
    at_least: Annotated[float | None, doc("the attribute is a number and not less")] = None
    at_most: Annotated[float | None, doc("the attribute is a number and not more")] = None

    def check(self) -> None:
        """Refuse what nothing fits."""
        low, high = self.at_least, self.at_most
        for name in ("at_least", "at_most"):
            if (value := getattr(self, name)) is not None and not math.isfinite(value):
                raise Mistake((name,), f"must be a number, got {value}", "write one")
        if low is not None and high is not None and low > high:
            raise Mistake(
                ("at_most", "at_least"), f"is below at_least = {low:.15g}", "nothing would fit"
            )


class Some(Checked, frozen=True):
    """Some items for some time: those named, and those that fit."""

    items: Annotated[tuple[str, ...], doc("ids of items that it holds for")] = ()
    where: dict[str, Condition] = msgspec.field(default_factory=dict)
    start: Annotated[datetime | None, doc("from when on; UTC if it is bare")] = None
    end: Annotated[datetime | None, doc("until when; UTC if it is bare")] = None

    def check(self) -> None:
        """Refuse conditions that say nothing, and an end before the start."""
        _must_say_something(self.where)
        if self.start and self.end and in_utc(self.end) <= in_utc(self.start):
            raise Mistake(("end", "start"), "is not after start", "write a later one")

    def holds_at(self, now: float) -> bool:
        """Tell whether it holds at a time, in seconds since 1970."""
        begun = self.start is None or in_utc(self.start).timestamp() <= now
        return begun and (self.end is None or now < in_utc(self.end).timestamp())


class Boost(Some, frozen=True):
    """Items whose chances are multiplied."""

    factor: Annotated[
        float, doc("what the chance of an item is multiplied by", gt=0, le=1_000_000)
    ] = 2.0


class Pin(Some, frozen=True):
    """Items that stand at places of a list, whatever their chances are."""

    places: Annotated[
        tuple[Length, ...],
        doc(
            "where, 1 is the first; each takes the likeliest that is left",
            min_length=1,
            max_length=96,
        ),
    ] = (1,)


class Scenario(Checked, frozen=True):
    """One more list per user who asks for it: `hw:rec:{user}:{scenario}`.

    >>> Scenario(where={"category": Condition(any_of=("tea", "jam"))}, length=5).length
    5
    """

    where: dict[str, Condition] = msgspec.field(default_factory=dict)
    length: Annotated[Length | None, doc("items in the list; not set, `list_length`")] = None
    repeats: Annotated[
        Literal["never"] | None,
        doc("`never`: nothing that the user has seen; not set, as in the user's own list"),
    ] = None
    made: Annotated[
        Literal["asked", "always"],
        doc("whose lists are made: those that a reader has looked for, or everybody's"),
    ] = "asked"
    caps: Annotated[
        dict[str, Length], doc("how many items may have the same value of an attribute, by name")
    ] = msgspec.field(default_factory=dict)
    diversity: Annotated[
        float, doc("how much it counts against an item to be like others of the list", ge=0, le=1)
    ] = 0.0
    diverse_by: Annotated[
        tuple[str, ...],
        doc("attributes that items are alike by; none: by having been chosen together"),
    ] = ()
    calibration: Annotated[
        float, doc("how much it counts that the list is mixed as the user's own items", ge=0, le=1)
    ] = 0.0
    calibrated_by: Annotated[str, doc("the attribute whose values are mixed")] = ""
    boosts: dict[str, Boost] = msgspec.field(default_factory=dict)
    pins: dict[str, Pin] = msgspec.field(default_factory=dict)

    def check(self) -> None:
        """Refuse what says nothing, and what leaves no weight to an item's own chance."""
        _must_say_something(self.where)
        self._must_be_about_something()
        if self.diversity + self.calibration > 1:
            fields, said = ("calibration", "diversity"), "and diversity are more than 1 together"
            raise Mistake(fields, said, "what is left of 1 is for an item's chance")
        for kind, given in (("boosts", self.boosts), ("pins", self.pins)):
            for name, some in given.items():
                if not (some.items or some.where):
                    said = f"{name} {kind} nothing"
                    raise Mistake((kind,), said, "name its items, or say where")

    def _must_be_about_something(self) -> None:
        if self.diverse_by and not self.diversity:
            raise Mistake(("diverse_by",), "is without effect", "say how much: diversity = 0.3")
        if self.calibrated_by and not self.calibration:
            raise Mistake(
                ("calibrated_by",), "is without effect", "say how much: calibration = 0.3"
            )
        if self.calibration and not self.calibrated_by:
            raise Mistake(("calibration",), "is about nothing", "name calibrated_by, an attribute")


def in_utc(moment: datetime) -> datetime:
    """Return a moment with its zone, UTC where it has none."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _must_say_something(where: dict[str, Condition]) -> None:
    for name, condition in where.items():
        if condition == Condition():
            raise Mistake(
                ("where",), f"says nothing of '{name}'", "say any_of, none_of, at_least …"
            )
