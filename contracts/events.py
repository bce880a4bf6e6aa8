"""What stands in the messages, and every reason for which one becomes a dead letter.

Strict: a field has its type or the message is dead. Unknown extra fields are ignored. Ids are
strings; an integer id is accepted and becomes its decimal string.
"""

from typing import Annotated, Any

import msgspec

MAX_ID_BYTES = 256
EARLIEST_TS = 946_684_800.0  # 2000-01-01
LATEST_AHEAD_S = 86_400.0

Id = Annotated[str, msgspec.Meta(min_length=1)] | int


class Interaction(msgspec.Struct, gc=False):
    """`interactions`: someone did something with an item. `ts` is in float seconds."""

    event_id: Id
    user: Id
    item: Id
    action: Annotated[str, msgspec.Meta(min_length=1)]
    ts: float
    value: float | None = None
    session: Id | None = None
    context: dict[str, Any] | None = None
    impression: Id | None = None


class Item(msgspec.Struct, gc=False):
    """`items`: what the catalogue knows about an item."""

    item: Id
    attributes: dict[str, Any] = {}
    hidden: bool = False


class User(msgspec.Struct, gc=False):
    """`users`: what is known of a person; `merge_from` is a guest who turned out to be this one."""

    user: Id
    attributes: dict[str, Any] = {}
    merge_from: Id | None = None


class Features(msgspec.Struct, gc=False):
    """`features`: a predictor is asked. `x` are River features: a flat dict."""

    predictor: str
    id: Id
    x: dict[str, float | bool | str]
    ts: float


class Label(msgspec.Struct, gc=False):
    """`labels`: what turned out to be true for the features of the same id."""

    predictor: str
    id: Id
    y: bool | int | float | str
    ts: float


REPLAYED = "replayed"

REASONS = {
    "null_value": "the message has no value",
    "too_large": "the message is larger than the setting max_message_bytes",
    "not_utf8": "the value is not UTF-8",
    "not_json": "the value is not JSON (NaN and Infinity are not JSON either)",
    "not_object": "the value is JSON but not an object",
    "missing_field": "a required field is missing",
    "wrong_type": "a field has another type than agreed on",
    "empty_id": "an id or the action is empty",
    "long_id": f"an id is longer than {MAX_ID_BYTES} bytes",
    "ts_in_milliseconds": "ts looks like milliseconds; it must be seconds",
    "ts_in_future": "ts is more than a day later than the record itself",
    "ts_too_old": "ts lies before the year 2000",
    "no_origin": "a re-keyed event has no signed origin, or is in the wrong partition",
    "unknown_predictor": "no predictor of that name is in the settings",
    "no_features": "a label came for which no features are pending",
    "not_signed": "a message of `control`, or one that only workers write among events, without a "
    "signature of this snapshot_key",
    "predictor_failed": "the predictor raised an error on these features or this label",
    "predictor_out": "the predictor raised an error on everything before, and was not asked",
    "learner_failed": "the worker's own learners raised an error on this event",
    REPLAYED: "no dead letter: the one at this `offset` was put back by `headwater dead-letters`",
}
