"""Seen: every item that a user has chosen or refused, exactly, up to a bound per user.

A user's entries lie on pages, newest page first; a page holds PAGE of them, and pages are handed
out from one pool per partition, so that memory follows what was seen and not a width for all.
"""

from typing import NamedTuple

import numpy as np

from learners.arrays import I32, I64, UserRows
from learners.kernel import kernel

PAGE = 16
NONE = np.int32(-(2**31))  # an entry of an item that was let go


class Pages(NamedTuple):
    """Pages of entries: an item's slot, or `~slot` where it must not be offered again."""

    entry: I32  # (pages, PAGE)
    older: I32  # (pages,) the user's next older page, or the next free one; -1 for none
    free: I64  # (2,) first free page or -1, pages that are free


def pages(count: int) -> Pages:
    """Return a pool of free pages."""
    older = np.arange(1, count + 1, dtype=np.int32)
    older[-1] = -1
    return Pages(np.full((count, PAGE), NONE, np.int32), older, np.array([0, count]))


def more(pool: Pages, count: int) -> Pages:
    """Return a pool with at least `count` free pages and the same contents."""
    have = len(pool.older)
    if pool.free[1] >= count:
        return pool
    new = pages(max(have, count))
    entry = np.concatenate([pool.entry, new.entry])
    older = np.concatenate([pool.older, np.where(new.older < 0, -1, new.older + have)])
    older[-1] = pool.free[0]
    return Pages(entry, older.astype(np.int32), np.array([have, pool.free[1] + len(new.older)]))


def packed(pool: Pages, page: I32) -> I32:
    """Return the pages in use, user by user, newest first; `page` has each user's newest one."""
    whose, at = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    users = np.flatnonzero(page >= 0)
    while len(users):
        whose.append(users)
        at.append(page[users])
        page = np.where(page >= 0, pool.older[page], -1)
        users = np.flatnonzero(page >= 0)
    order = np.argsort(np.concatenate(whose), kind="stable")
    return pool.entry[np.concatenate(at)[order]]


def unpacked(entry: I32, met: I32) -> tuple[Pages, I32]:
    """Return a pool of packed pages, none of them free, and each user's newest page."""
    count = -(-met // PAGE)
    page = np.where(count > 0, np.cumsum(count) - count, -1).astype(np.int32)
    older = np.arange(1, len(entry) + 1, dtype=np.int32)
    older[np.cumsum(count)[count > 0] - 1] = -1
    return Pages(entry, older, np.array([-1, 0])), page


def entries(pool: Pages, page: int) -> I32:
    """Return a user's entries, oldest first; `page` is the newest one, -1 for none."""
    found = list[I32]()
    while page >= 0:
        found.append(pool.entry[page])
        page = int(pool.older[page])
    told = np.concatenate([np.empty(0, np.int32), *reversed(found)])
    kept: I32 = told[told != NONE]
    return kept


def slots(entry: I32) -> I32:
    """Return the items that entries name, -1 for none."""
    return np.where(entry >= 0, entry, np.where(entry == NONE, -1, ~entry)).astype(np.int32)


def renamed(entry: I32, now: I32) -> I32:
    """Return entries with `now[slot]` in place of each slot."""
    plain, barred = entry >= 0, (entry < 0) & (entry != NONE)
    found = np.where(plain, now[np.where(plain, entry, -1)], NONE)
    return np.where(barred, ~now[np.where(barred, ~entry, -1)], found).astype(np.int32)


@kernel(inner=True)
def mark(users: UserRows, pool: Pages, user: int, stamp: int, returns: bool, marks: I64) -> None:
    """Set `marks` of all that a user has seen: `stamp`, or `-stamp` where it must not return."""
    page = users.page[user]
    used = users.met[user] % PAGE if users.met[user] % PAGE else PAGE
    while page >= 0:
        for place in range(used):
            entry = pool.entry[page, place]
            if entry >= 0:
                marks[entry] = stamp if returns else -stamp
            elif entry != NONE:
                marks[~entry] = -stamp
        page, used = pool.older[page], PAGE


@kernel(inner=True)
def find(users: UserRows, pool: Pages, user: int, item: int) -> tuple[int, int]:
    """Return the page and the place on it where an item stands, barred or not; -1 for none."""
    page = users.page[user]
    while page >= 0:
        for place in range(PAGE):
            if pool.entry[page, place] == item or pool.entry[page, place] == ~item:
                return page, place
        page = pool.older[page]
    return -1, -1


@kernel(inner=True)
def has_met(users: UserRows, pool: Pages, user: int, item: int) -> bool:
    """Return whether an item stands on a user's pages."""
    return find(users, pool, user, item)[0] >= 0


@kernel(inner=True)
def note(users: UserRows, pool: Pages, user: int, item: int, barred: bool, most: int) -> None:
    """Write an item on a user's pages; with `most` pages in use the oldest is written over."""
    entry = ~item if barred else item
    page, place = find(users, pool, user, item)
    if page >= 0:
        if barred:
            pool.entry[page, place] = entry
        return
    page, used = users.page[user], users.met[user] % PAGE
    if used == 0:
        page = turn(users, pool, user, most)
    pool.entry[page, used] = entry
    users.met[user] += 1


@kernel(inner=True)
def turn(users: UserRows, pool: Pages, user: int, most: int) -> int:
    """Begin a new page for a user and return it."""
    newest = users.page[user]
    if users.met[user] >= most * PAGE:  # full: the oldest page becomes the newest
        before, page = -1, newest
        while pool.older[page] >= 0:
            before, page = page, pool.older[page]
        if before >= 0:
            pool.older[before] = -1
        users.met[user] -= PAGE
    else:
        page = pool.free[0]
        pool.free[0] = pool.older[page]
        pool.free[1] -= 1
        before = 0
    pool.entry[page, :] = NONE
    pool.older[page] = newest if newest != page else -1
    users.page[user] = page
    return page


@kernel(inner=True)
def clear(users: UserRows, pool: Pages, user: int) -> None:
    """Give a user's pages back."""
    page = users.page[user]
    while page >= 0:
        older = pool.older[page]
        pool.entry[page, :] = NONE
        pool.older[page] = pool.free[0]
        pool.free[0] = page
        pool.free[1] += 1
        page = older
    users.page[user] = -1
    users.met[user] = 0
