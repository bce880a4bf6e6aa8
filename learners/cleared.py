"""Cleared: one learner of a recommender begins anew, and the others keep what they know."""

from collections.abc import Callable

from learners.arrays import World
from learners.head import head
from learners.recommender import Recommender


def clear(model: Recommender, learner: str) -> None:
    """Take away what a generator, by its name in the pipeline, or the `head` has learned.

    What is known of the items themselves stays: their names, how often and when they were chosen.
    """
    if learner == "head":
        _clear_head(model)
    else:
        CLEAR[learner](model.world)


def _clear_head(model: Recommender) -> None:
    for array, fresh in zip(
        model.world.head, head(model.rules, model.features, model.views), strict=True
    ):
        array[:] = fresh


def _clear_popularity(world: World) -> None:
    world.items.weight[:] = 0.0
    world.trend.top[:] = -1
    world.trend.size[:] = 0
    world.trend.total[:] = 0.0
    segments = world.segments
    segments.item[:], segments.weight[:], segments.size[:], segments.total[:] = -1, 0.0, 0, 0.0


def _clear_co_occurrence(world: World) -> None:
    items = world.items
    items.near[:], items.near_weight[:], items.near_size[:] = -1, 0.0, 0
    world.watch.seen[:] = 0.0  # that nothing is foretold now is no change of taste


def _clear_transitions(world: World) -> None:
    items = world.items
    items.after[:], items.after_weight[:], items.after_size[:] = -1, 0.0, 0


def _clear_neighbours(world: World) -> None:
    items, sessions = world.items, world.sessions
    items.visit[:], items.visits[:] = -1, 0
    sessions.item[:], sessions.size[:], sessions.owner[:] = -1, 0, 0


CLEAR: dict[str, Callable[[World], None]] = {
    "popularity": _clear_popularity,
    "co_occurrence": _clear_co_occurrence,
    "transitions": _clear_transitions,
    "neighbours": _clear_neighbours,
}
