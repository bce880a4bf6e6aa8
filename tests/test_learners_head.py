"""The softmax takes the step that plain numpy takes, and stays able to move."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.pipeline import Pipeline
from learners.head import FIRST_SQUARE, FORGET
from learners.recommender import Recommender
from learners.room import COLUMN, COLUMN_BITS
from learners.users import Shape, Users
from tests.learners_kit import PIPELINE, as_events, stream

SHAPE = Shape(items=60, users=50)
NEAR = 1e-3
Matrix = np.ndarray[Any, np.dtype[np.float64]]


class Plain:
    """The head in 64-bit numpy; features are given."""

    def __init__(self, model: Recommender) -> None:
        shape = model.world.head.weight.shape
        self.pipeline = model.pipeline
        self.weight, self.square = np.zeros(shape), np.full(shape, FIRST_SQUARE)

    def rows(self, chosen: int, since: float) -> list[int]:
        """Return the rows of everybody, of the history's length and of the gap."""
        segments = self.pipeline.segments
        length = sum(chosen >= bound for bound in segments.history)
        gap = sum(since >= bound for bound in segments.gap_s) if chosen else 0
        return [0, 1 + length, 2 + len(segments.history) + gap]

    def step(self, rows: list[int], feature: Matrix, target: int) -> None:
        """Descend the cross-entropy of the softmax by AdaGrad whose past fades."""
        scores = self.weight[rows].sum(0) @ feature
        chance = np.exp(scores - scores.max())
        chance /= chance.sum()
        chance[target] -= 1.0
        slope = feature @ chance
        self.square[rows] = self.square[rows] * float(FORGET) + slope**2
        self.weight[rows] -= self.pipeline.rate * slope / np.sqrt(self.square[rows])


def judged(model: Recommender, users: Users, user: str, ts: float) -> tuple[int, float]:
    """Leave in the model's room what an event is judged on; return the history's length and age."""
    row = users.ids.find(user)
    model.peek(users, row, ts)
    chosen = int(users.rows.chosen[row]) if row >= 0 else 0
    return chosen, ts - float(users.rows.when[row, 0])


EVENT = st.tuples(st.integers(0, 5), st.integers(0, 30), st.sampled_from([0.0, 5.0, 4e3, 1e5, -60]))


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENT, max_size=80), st.booleans())
def test_every_step_is_that_of_plain_numpy(
    choices: list[tuple[int, int, float]], barred: bool
) -> None:
    model = Recommender(SHAPE, PIPELINE)
    users, plain, ts = model.open(), Plain(model), 0.0
    for user_no, item_no, ahead in choices:
        user, item, ts = f"u{user_no}", f"i{item_no}", ts + ahead
        chosen, since = judged(model, users, user, ts)
        marks, slot = model.room.place >> COLUMN_BITS == model.room.stamp[0], model.ids.find(item)
        if slot >= 0 and marks[slot]:
            feature = model.room.feature[:, : marks.sum()].astype(np.float64)
            column = int(model.room.place[slot] & COLUMN)
            plain.step(plain.rows(chosen, since), feature, column)
        model.learn(users, as_events([(user, item, ts)], barred=barred))
    assert model.world.head.weight == pytest.approx(plain.weight, rel=NEAR, abs=NEAR)
    assert model.world.head.square == pytest.approx(plain.square, rel=NEAR, abs=NEAR)


def test_features_lie_between_nothing_and_two() -> None:
    model = Recommender(Shape(items=500, users=50), PIPELINE)
    users = model.open()
    model.learn(users, as_events(stream(2_000, 40, 300)))
    for row in range(40):
        model.peek(users, row, model.latest + 10.0**row)
        count = int((model.room.place >> COLUMN_BITS == model.room.stamp[0]).sum())
        feature = model.room.feature[:, :count]
        assert feature.min() >= -1e-6, "no less than rounding leaves"
        assert feature.max() <= 2.5, "own items count .25 each, 20 of them would be 5"


@pytest.mark.parametrize("head", ["softmax", "mixture"])
def test_what_rested_for_ages_moves_again_by_a_step_of_bounded_size(head: Any) -> None:
    model = Recommender(SHAPE, Pipeline(head=head))
    users = model.open()
    model.learn(users, as_events(stream(300, 9, 40)))
    model.world.head.square[:] = 1e-45  # what ten million events leave of .01
    before = model.world.head.weight.copy()
    model.learn(users, as_events([("u1", "i1", 2e9)]))
    moved = np.abs(model.world.head.weight - before)
    assert moved.max() > 0.0
    assert moved.max() <= PIPELINE.rate * 1.001


@pytest.mark.parametrize("head", ["softmax", "mixture"])
def test_a_mass_that_has_decayed_to_nothing_is_none(head: Any) -> None:
    from contracts.pipeline import CoOccurrence, Generators

    short = Generators(co_occurrence=CoOccurrence(half_life_s=60.0))
    model = Recommender(SHAPE, Pipeline(head=head, generators=short))
    users = model.open()
    for hours in range(0, 400, 2):  # by 120 half-lives each: through all that floats can hold
        ts = hours * 1_800.0
        events = [("old", "tea", 0.0), ("old", "jam", 0.0)] if not hours else []
        model.learn(users, as_events([*events, (f"u{hours % 3}", f"i{hours % 7}", ts)]))
        model.learn(users, as_events([("old", "tea", ts)]))
        assert np.isfinite(model.world.head.weight).all()
        lists = model.peek(users, users.ids.find("old"), ts)
        assert np.isfinite(lists.score[0, : lists.length[0]]).all()
