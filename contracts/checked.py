"""Frozen structs whose values are checked however they are made, in Python or from a file."""

import reprlib
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

WORDS = {
    float: "a number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
    datetime: "a date and time",
}


class Mistake(ValueError):
    """A value that must not be; `fields` are those where it can be mended, the likeliest first."""

    def __init__(self, fields: tuple[str, ...], said: str, remedy: str) -> None:
        super().__init__(f"{fields[0]} {said}; {remedy}")
        self.fields, self.said, self.remedy = fields, said, remedy


class Checked(msgspec.Struct, frozen=True):
    """A struct that holds nothing but values its types and bounds allow.

    >>> class Step(Checked, frozen=True):
    ...     rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    >>> Step(rate=1)
    Step(rate=1.0)
    >>> Step(rate=7)
    Traceback (most recent call last):
    contracts.checked.Mistake: rate must be a number > 0 and ≤ 1, got 7; write it so, or remove it
    """

    def __post_init__(self) -> None:
        """Check every field, then what several fields have to do with each other."""
        for name, type_ in types(type(self)).items():
            msgspec.structs.force_setattr(self, name, self._one(name, type_))
        self.check()

    def check(self) -> None:
        """Check what no single field's type can say; raises Mistake."""

    def _one(self, name: str, type_: Any) -> Any:
        value = getattr(self, name)
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError:
            said = f"must be {words(type_)}, got {reprlib.repr(value)}"
            raise Mistake((name,), said, "write it so, or remove it") from None


def doc(text: str, **bounds: Any) -> msgspec.Meta:
    """Return what a field is for, and between which bounds its values lie."""
    return msgspec.Meta(description=text, **bounds)


def types(struct: type[Checked]) -> dict[str, Any]:
    """Return the type of each field, with its bounds."""
    return get_type_hints(struct, include_extras=True)


def words(type_: Any) -> str:
    """Return in words what a type allows.

    >>> words(Annotated[tuple[int, ...], msgspec.Meta(max_length=3)])
    'a list of 0 to 3 whole numbers'
    >>> words(Literal["learn", "never"] | None)
    "'learn' or 'never'"
    """
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:])
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (Union, UnionType):
        (only,) = (part for part in parts if part is not type(None))
        return words(only) + (" or None" if struct_of(only) else "")
    if origin is tuple:
        return f"a list of {words(parts[0])}".replace("number", "numbers").replace("of a ", "of ")
    if origin is dict:
        return f"{words(parts[1])} by name"
    return WORDS.get(type_) or f"a {type_.__name__}"


def struct_of(type_: Any) -> type[Checked] | None:
    """Return the struct that a type is, `None` beside it or not; None if it is no struct."""
    for part in (type_, *get_args(type_)):
        if isinstance(part, type) and issubclass(part, Checked):
            return part
    return None


def description(type_: Any) -> str:
    """Return what a field is for."""
    return next((m.description for m in _metas(type_) if m.description), "")


def _metas(type_: Any) -> tuple[msgspec.Meta, ...]:
    return get_args(type_)[1:] if get_origin(type_) is Annotated else ()


def _annotated(type_: Any, metas: tuple[msgspec.Meta, ...]) -> str:
    text = words(type_)
    for meta in metas:
        if meta.max_length is not None:
            text = text.replace(
                "a list of", f"a list of {meta.min_length or 0} to {meta.max_length}"
            )
        signs = {"≥": meta.ge, ">": meta.gt, "≤": meta.le}
        bounds = [f" {sign} {bound:,.15g}" for sign, bound in signs.items() if bound is not None]
        text += " and".join(bounds)
    return text
