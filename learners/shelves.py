"""Shelves: which items that few have chosen have an attribute, the newest in front.

An attribute is a feature, see `learners.attributes`. Every shelf is short and nobody stays for
long: who has been chosen RARE times is taken off, so that looking at shelves costs the same in
every catalogue. An item has a place on the shelf of each of its features or is on none.
"""

from typing import NamedTuple

import numpy as np

from learners.arrays import I32, I64, Flags
from learners.attributes import KEPT
from learners.kernel import kernel
from learners.rows import place_of

RARE = 10  # choices from which on an item is known by who chose it
LONG = 16  # items on a shelf


class Content(NamedTuple):
    """What is said of items, by slot. No part of the state: it comes from another log."""

    feature: I32  # (items, KEPT) features of an item, -1 behind the last
    born: I32  # (items,) the slot that an item had before anybody chose it, -1 for none
    shelf: I32  # (features, LONG) items that few have chosen, newest first
    size: I32  # (features,)
    often: I32  # (features,) items that were told of with each feature, chosen or not
    told: I64  # (1,) items that were told of


def shelves(rows: int, often: I32) -> Content:
    """Return empty shelves for items in so many rows; `often` items have each feature."""
    features = len(often)
    return Content(
        feature=np.full((rows, KEPT), -1, np.int32),
        born=np.full(rows, -1, np.int32),
        shelf=np.zeros((features, LONG), np.int32),
        size=np.zeros(features, np.int32),
        often=often,
        told=np.zeros(1, np.int64),
    )


def with_rows(content: Content, rows: int) -> Content:
    """Return the same shelves, with room for what is said of more items."""
    more = rows - len(content.born)
    feature = np.concatenate([content.feature, np.full((more, KEPT), -1, np.int32)])
    return content._replace(
        feature=feature, born=np.concatenate([content.born, np.full(more, -1, np.int32)])
    )


@kernel(inner=True)
def put_on(content: Content, item: int) -> None:
    """Put an item in front of the others on the shelves of its features."""
    for k in range(KEPT):
        feature = content.feature[item, k]
        if feature < 0:
            return
        row, size = content.shelf[feature], content.size[feature]
        if place_of(row, size, item) >= 0:
            continue
        size = min(size + 1, LONG)
        for place in range(size - 1, 0, -1):
            row[place] = row[place - 1]
        row[0] = item
        content.size[feature] = size


@kernel(inner=True)
def take_off(content: Content, item: int) -> None:
    """Take an item off all shelves."""
    for k in range(KEPT):
        feature = content.feature[item, k]
        if feature < 0:
            return
        row, size = content.shelf[feature], content.size[feature]
        at = place_of(row, size, item)
        if at >= 0:
            for place in range(at, size - 1):
                row[place] = row[place + 1]
            content.size[feature] = size - 1


@kernel(inner=True)
def note_choice(content: Content, item: int, seen: int) -> None:
    """Have an item on shelves from its first choice on, the number `seen`, until it is known."""
    if seen == 1:
        put_on(content, item)
    elif seen == RARE:
        take_off(content, item)


@kernel
def describe_as(content: Content, item: int, feature: I32, shown: bool) -> None:
    """Know an item by these features and no others; only what is `shown` is on shelves."""
    take_off(content, item)
    for k in range(KEPT):
        content.feature[item, k] = feature[k]
    if shown:
        put_on(content, item)


@kernel
def forget_features(content: Content, gone: Flags) -> None:
    """Know nothing of items that were let go."""
    for item in range(len(gone)):
        if gone[item]:
            take_off(content, item)
            content.feature[item, :] = -1
            content.born[item] = -1


@kernel
def rename(content: Content, old: int, new: int) -> None:
    """Let an item that was chosen keep its places on the shelves under its new slot."""
    for k in range(KEPT):
        feature = content.feature[old, k]
        content.feature[new, k] = feature
        if feature >= 0:
            at = place_of(content.shelf[feature], content.size[feature], old)
            if at >= 0:
                content.shelf[feature, at] = new
    content.feature[old, :] = -1
    content.born[new] = old
