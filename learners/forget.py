"""Forget: items that were let go leave every row that names them."""

from learners.arrays import I32, Flags, ItemRows, UserRows
from learners.kernel import kernel


@kernel
def forget_items(items: ItemRows, gone: Flags) -> None:
    """Clear the rows of items that were let go, and take them out of all neighbours."""
    for item in range(len(items.seen)):
        size = items.near_size[item]
        if gone[item]:
            items.weight[item], items.seen[item], size = 0.0, 0, 0
        kept = 0
        for place in range(size):
            other = items.near[item, place]
            if not gone[other]:
                items.near[item, kept] = other
                items.near_weight[item, kept] = items.near_weight[item, place]
                kept += 1
        items.near_size[item] = kept


@kernel
def forget_in_users(users: UserRows, gone: Flags) -> None:
    """Take items that were let go out of all histories and lists."""
    for user in range(len(users.chosen)):
        users.chosen[user] = keep_present(users.history[user], users.chosen[user], gone)
        users.length[user] = keep_present(users.listed[user], users.length[user], gone)


@kernel
def keep_present(slots: I32, size: int, gone: Flags) -> int:
    """Move the slots that stay to the front, in order; return how many they are."""
    kept = 0
    for k in range(size):
        if not gone[slots[k]]:
            slots[kept] = slots[k]
            kept += 1
    return kept
