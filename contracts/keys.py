"""Every key that Headwater writes to Redis, in one table: pattern, type, age, shape.

`{x}` is a placeholder, not a hash tag. Ids stand as they are, with `%` and `:` percent-encoded.
Every key has an age: nothing stays in Redis for ever.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

DAY_S = 86_400


class Key(NamedTuple):
    """One kind of key: its pattern behind the prefix, Redis type, age in seconds and contents."""

    pattern: str
    kind: str
    age_s: int
    holds: str

    def at(self, prefix: str, **ids: object) -> str:
        """Return the key for these ids.

        >>> REC.at("hw:", user="a:b")
        'hw:rec:a%3Ab'
        """
        return prefix + self.pattern.format(**{name: escape(str(i)) for name, i in ids.items()})


def escape(id_: str) -> str:
    """Percent-encode what would make a key ambiguous.

    >>> escape("100%:x")
    '100%25%3Ax'
    """
    if "%" not in id_ and ":" not in id_:
        return id_
    return id_.replace("%", "%25").replace(":", "%3A")


def unescape(text: str) -> str:
    """Return the id that was escaped.

    >>> unescape(escape("100%:x"))
    '100%:x'
    """
    return text.replace("%3A", ":").replace("%25", "%")


def literally(text: str) -> str:
    r"""Return a pattern of Redis that fits this text and nothing else.

    >>> literally("my*hw:")
    'my\\*hw:'
    """
    return re.sub(r"([*?\[\]\\^-])", r"\\\1", text)


REC = Key(
    "rec:{user}",
    "string",
    30 * DAY_S,
    '{"user", "items": [{"item", "score", "because", "explored"?}], "version", "ts"}, best first',
)
REC_OF = Key(
    "rec:{user}:{scenario}",
    "string",
    3_600,
    '{"user", "scenario", "items": [{"item", "score", "because"}], "version", "ts"}',
)
SIM = Key("sim:{item}", "string", 30 * DAY_S, '{"item", "items": [{"item", "score"}], "ts"}')
TOP = Key("top", "string", 30 * DAY_S, '{"items": [{"item", "score"}], "ts"}: trending')
TOP_OF = Key(
    "top:{scenario}", "string", 30 * DAY_S, '{"items": [{"item", "score"}], "ts"}: what fits of it'
)
TOP_IN = Key(
    "top:{segment}",
    "string",
    30 * DAY_S,
    '{"items": [{"item", "score"}], "ts"}: for strangers of one segment, `country=de`',
)
SEGMENTS_OF = Key(
    "segments:{user}", "string", 30 * DAY_S, '{"user", "segments"}: as `users` says it'
)
PRED = Key(
    "pred:{predictor}:{id}",
    "string",
    7 * DAY_S,
    '{"predictor", "id", "answer", "probability"?, "because", "version", "ts"}',
)
PENDING = Key("pending:{predictor}:{id}", "string", 7 * DAY_S, "features waiting for their label")
ASKED = Key(
    "asked:{shard}", "zset", DAY_S, "`user:scenario` of lists that are made, by when they age"
)
SNAP = Key("snap:{shard}", "hash", 30 * DAY_S, "epoch, and pointers to the snapshots kept")
AUDIT = Key("audit", "stream", 365 * DAY_S, "what was done to the models: who, when, why, where")
AUDIT_BURIED = Key(
    "audit:buried:{topic}", "string", 365 * DAY_S, "up to where a topic has its dead letters"
)
SNAP_CHUNK = Key("snap:{shard}:{chunk}", "string", 30 * DAY_S, "one immutable piece of a snapshot")

KEYS = (
    REC, REC_OF, SIM, TOP, TOP_OF, TOP_IN, SEGMENTS_OF, PRED, PENDING, ASKED, SNAP, SNAP_CHUNK,
    AUDIT, AUDIT_BURIED,
)  # fmt: skip


def lists_of(prefix: str, user: str, scenarios: Iterable[str]) -> list[str]:
    """Return the keys of a user's lists: the own one, and one per scenario.

    >>> lists_of("hw:", "ann", ["kitchen"])
    ['hw:rec:ann', 'hw:rec:ann:kitchen']
    """
    of_scenarios = [REC_OF.at(prefix, user=user, scenario=name) for name in scenarios]
    return [REC.at(prefix, user=user), *of_scenarios]
