"""Forget: items that were let go leave every row that names them."""

from learners.arrays import F32, I32, Flags, UserRows, World
from learners.kernel import kernel
from learners.seen import NONE, Pages


@kernel
def forget_items(world: World, gone: Flags) -> None:
    """Clear the rows of items that were let go, and take them out of all others."""
    items, sessions, segments = world.items, world.sessions, world.segments
    for item in range(len(items.seen)):
        if gone[item]:
            items.weight[item, :] = 0.0
            items.first[item] = items.latest[item] = 0.0
            items.seen[item] = items.visits[item] = 0
            items.near_size[item] = items.after_size[item] = 0
        items.near_size[item] = keep_weighted(
            items.near[item], items.near_weight[item], items.near_size[item], gone
        )
        items.after_size[item] = keep_weighted(
            items.after[item], items.after_weight[item], items.after_size[item], gone
        )
    for slot in range(len(sessions.size)):
        sessions.size[slot] = keep_present(sessions.item[slot], sessions.size[slot], gone)
    for slot in range(len(segments.size)):
        segments.size[slot] = keep_weighted(
            segments.item[slot], segments.weight[slot], segments.size[slot], gone
        )


@kernel
def forget_in_users(users: UserRows, pages: Pages, gone: Flags) -> None:
    """Take items that were let go out of all histories, lists and pages."""
    for user in range(len(users.chosen)):
        users.chosen[user] = keep_chosen(users, user, gone)
        users.length[user] = keep_present(users.listed[user], users.length[user], gone)
    entries = pages.entry.reshape(-1)
    for k in range(len(entries)):
        entry = entries[k]
        if entry != NONE and gone[entry if entry >= 0 else ~entry]:
            entries[k] = NONE


@kernel(inner=True)
def keep_chosen(users: UserRows, user: int, gone: Flags) -> int:
    """Do the same as `keep_present` with a history, each item with what is known of it."""
    slots, when, gave, kept = users.history[user], users.when[user], users.gave[user], 0
    saw = users.saw[user]
    for k in range(users.chosen[user] - 1, 0, -1):
        if gone[slots[k]]:
            for newer in range(k):
                saw[newer] -= newer + saw[newer] >= k
    for k in range(users.chosen[user]):
        if not gone[slots[k]]:
            slots[kept], when[kept], gave[kept] = slots[k], when[k], gave[k]
            saw[kept] = saw[k]
            kept += 1
    return kept


@kernel(inner=True)
def keep_present(slots: I32, size: int, gone: Flags) -> int:
    """Move the slots that stay to the front, in order; return how many they are."""
    kept = 0
    for k in range(size):
        if not gone[slots[k]]:
            slots[kept] = slots[k]
            kept += 1
    return kept


@kernel(inner=True)
def keep_weighted(slots: I32, values: F32, size: int, gone: Flags) -> int:
    """Do the same, each slot with its value."""
    kept = 0
    for k in range(size):
        if not gone[slots[k]]:
            slots[kept], values[kept] = slots[k], values[k]
            kept += 1
    return kept
