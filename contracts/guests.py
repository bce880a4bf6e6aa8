"""What workers write among events when a guest becomes an account.

A message of `users` says it once, to all. Where it holds the log of the guest's partition must say,
or a replay would come to another state: so whoever owns that partition writes a *merge* behind the
guest's events. Where the account belongs to another partition, its owner then makes a *handover* of
what was known of the guest, behind the account's events. Both are signed with the key of the
snapshots, or anybody who may write events could move people.
"""

from typing import Annotated

import msgspec

SIGNATURE = "guest"  # header: hexadecimal HMAC-SHA256 of topic, \n, partition, \n and the value
MAX_BYTES = 900_000  # a broker takes 1 MB

Offset = Annotated[int, msgspec.Meta(ge=0)]


class Merge(msgspec.Struct, frozen=True, tag_field="what", tag="merge"):
    """In the partition of `guest`: all that was done under that id up to here is `user`'s.

    `message` is the offset in `users`. Without a guest it only says that the messages up to there
    are done: those guests were not known.
    """

    message: Offset
    guest: str
    user: str


class Handover(msgspec.Struct, frozen=True, tag_field="what", tag="handover"):
    """In the partition of `user`: what was known of a guest of another partition.

    `origin` is topic, partition and offset of the record that moved it, `message` that in `users`.
    `choices` are item, time in seconds, weight for the items, and with how many of those before it
    the items were taught; `seen` are items and whether one may not be offered again; the oldest
    come first. `guests` are all whom the account has been by this, by alias and partition.
    """

    message: Offset
    user: str
    origin: tuple[str, int, Offset]
    choices: list[tuple[str, float, float, int]]
    seen: list[tuple[str, bool]]
    guests: list[tuple[str, int]]


Move = Merge | Handover
