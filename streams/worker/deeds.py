"""What orders do to the state of shards, and to what shards share."""

from contracts.control import FREEZE, LISTS, RESET, ROLLBACK, THAW, Control
from streams.control.schedule import Order
from streams.shards import Clearing, Sharing, Unit
from streams.worker.ledger import DONE, REFUSED
from streams.worker.owned_shard import OwnedShard


def is_shared(unit: Unit, order: Order) -> bool:
    """Tell whether an order changes what the shards of a unit share."""
    return isinstance(unit, Sharing) and order.asked.action in (RESET, ROLLBACK)


def to_shard(owned: OwnedShard, asked: Control) -> str:
    """Freeze, thaw or reset what one shard has alone; return the outcome.

    What is frozen follows from the orders before, see `Schedule.frozen`.
    """
    if asked.action in (FREEZE, THAW):
        return DONE if asked.learner in ("", *owned.models) else _stranger(asked)
    return _clear(owned.shard, asked)


def to_shared(unit: Unit, asked: Control) -> str:
    """Clear a learner of what the shards of a unit share; return the outcome."""
    return _clear(unit, asked)


def _clear(holder: object, asked: Control) -> str:
    if not isinstance(holder, Clearing) or asked.learner not in holder.learners:
        return _stranger(asked)
    holder.clear(asked.learner)
    return DONE


def _stranger(asked: Control) -> str:
    return f"{REFUSED}there is no '{asked.learner or LISTS}' here"
