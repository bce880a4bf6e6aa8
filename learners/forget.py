"""Forget: items that were let go leave every row that names them."""

from learners.arrays import Flags, ItemRows, UserRows
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
        kept = 0
        for back in range(users.chosen[user]):
            if not gone[users.history[user, back]]:
                users.history[user, kept] = users.history[user, back]
                kept += 1
        users.chosen[user] = kept
        kept = 0
        for place in range(users.length[user]):
            if not gone[users.listed[user, place]]:
                users.listed[user, kept] = users.listed[user, place]
                kept += 1
        users.length[user] = kept
