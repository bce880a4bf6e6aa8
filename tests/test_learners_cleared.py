"""A model that is frozen learns nothing, and one learner can begin anew."""

import numpy as np
import pytest

from contracts.control import clearable
from learners import cleared, frozen
from learners.batches import Events
from learners.quality import Quality
from learners.recommender import Recommender
from learners.step import JUDGE
from learners.users import Shape, Users
from tests.learners_kit import PIPELINE, as_events, learn_all, stream

EVENTS = stream(1_500, users=40, items=60)
SHAPE = Shape(items=80, users=100)
NEW = ("ann", "something new", 2e9)


def taught(events: int = 1_000, shape: Shape = SHAPE) -> tuple[Recommender, Users]:
    """Return a model that has learned the first events."""
    model = Recommender(shape, PIPELINE)
    users = model.open()
    learn_all(model, users, as_events(EVENTS[:events]))
    return model, users


def arrays_of(model: Recommender) -> dict[str, bytes]:
    """Return what the items hold, without their names."""
    parts = frozen.dump_items(model.pipeline, model.world, model.ids)
    return {name: data for name, data in parts.items() if name != "ids"}


def rest() -> Events:
    return as_events([*EVENTS[1_000:], NEW, (*NEW[:1], "i1", 2e9 + 1)], first_version=1_001)


def test_a_frozen_model_judges_and_remembers_people_and_learns_nothing() -> None:
    (model, users), quality = taught(), Quality()
    model.ids.admit(NEW[1])
    model.make_room()
    before = arrays_of(model)
    learned = model.learn(users, rest(), JUDGE)
    quality.add(learned.verdicts)
    assert arrays_of(model) == before
    assert quality.total[1, 0].sum() == len(rest().user)
    ann = users.ids.find("ann")
    assert [model.ids.names[slot] for slot in users.rows.history[ann, :2]] == ["i1", NEW[1]]
    assert np.isfinite(learned.lists.score[learned.lists.item >= 0]).all()


def test_a_frozen_model_judges_as_one_that_learns_does_at_its_first_event() -> None:
    verdicts = []
    for mode in (JUDGE, 2):
        model, users = taught()
        found = model.learn(users, as_events(EVENTS[1_000:1_001], 1_001), mode).verdicts
        verdicts.append([column.tolist() for column in found])
    assert verdicts[0] == verdicts[1]


def test_a_frozen_model_that_is_full_lets_nothing_go() -> None:
    model, users = taught(shape=SHAPE._replace(items=30))
    names = sorted(name for name in model.ids.names if name in model.ids)
    while not model.ids.full:
        model.ids.admit(f"filler {len(model.ids)}")
    names, order = sorted(model.ids.dump()[0]), model.ids.order()
    model.learn(users, rest(), JUDGE)
    assert sorted(model.ids.dump()[0]) == names
    assert model.ids.order() == order
    assert users.rows.chosen[users.ids.find("ann")] <= 1


@pytest.mark.parametrize("learner", [n for n in clearable(PIPELINE) if n != "lists"])
def test_a_cleared_learner_is_empty_and_the_others_are_as_before(learner: str) -> None:
    model, users = taught()
    before, empty = arrays_of(model), Recommender(SHAPE, PIPELINE)
    cleared.clear(model, learner)
    after = arrays_of(model)
    changed = {name for name, data in after.items() if before[name] != data}
    assert changed == CHANGED[learner]
    fresh = frozen.dump_items(PIPELINE, empty.world, model.ids)
    arrays = {name for name in changed if not name.startswith("items.")}
    assert {name: after[name] for name in arrays} == {name: fresh[name] for name in arrays}
    learn_all(model, users, rest())


CHANGED = {
    "popularity": {"items.weight", "trend.top", "trend.size", "trend.total"},
    "co_occurrence": {"items.near", "items.near_weight", "items.near_size", "watch.seen"},
    "transitions": {"items.after", "items.after_weight", "items.after_size"},
    "neighbours": {
        "items.visit", "items.visits", "sessions.item", "sessions.size", "sessions.owner",
        "sessions.slot",
    },
    "head": {"head.weight", "head.square"},
}  # fmt: skip
