"""Nothing that is learned or judged depends on how events were cut into batches."""

import numpy as np
import pytest

from learners import frozen, quality
from learners.batches import Events
from learners.given import Lists
from learners.quality import Quality
from learners.recommender import Recommender
from learners.step import REMEMBER
from learners.users import Shape, Users
from tests.learners_kit import PIPELINE, as_events, dangling, learn_all, state_of, stream

WIDE = Shape(items=5_000, users=5_000)
NARROW = Shape(items=40, users=25, history=6, seen=32)
EVENTS = stream(4_000, users=60, items=120)


class Life:
    """What a stream leaves: state, verdicts, and every user's last list as names."""

    def __init__(self, shape: Shape, cut: int, events: list[tuple[str, str, float]]) -> None:
        self.model = Recommender(shape, PIPELINE)
        self.users = self.model.open()
        self.quality = Quality()
        self.verdicts: list[object] = []
        self.lists: dict[str, list[tuple[str, float, int, str]]] = {}
        for start in range(0, len(events), cut):
            self._learn(as_events(events[start : start + cut], start + 1))

    def _learn(self, events: Events) -> None:
        while events.user:
            learned = self.model.learn(self.users, events)
            self.quality.add(learned.verdicts)
            self.verdicts += zip(*(v.tolist() for v in learned.verdicts), strict=True)
            self._read(events, learned.lists)
            events = events.after(len(learned.user))

    def _read(self, events: Events, lists: Lists) -> None:
        names = [*self.model.ids.names, "nobody"]
        for row, k in enumerate(lists.event.tolist()):
            size = lists.length[row]
            columns = (column[row, :size].tolist() for column in lists[1:5])
            self.lists[events.user[k]] = [
                (names[i], s, why, names[via]) for i, s, why, via in zip(*columns, strict=True)
            ]

    def state(self) -> dict[str, bytes]:
        """Return everything that was learned."""
        return state_of(self.model, self.users)


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("cut", [7, 2_000])
def test_lists_state_and_verdicts_are_the_same_for_every_cut(shape: Shape, cut: int) -> None:
    singly, cut_up = Life(shape, 1, EVENTS), Life(shape, cut, EVENTS)
    assert cut_up.verdicts == singly.verdicts
    assert cut_up.lists == singly.lists
    a, b = singly.state(), cut_up.state()
    # Whether an item waits for publishing is no part of what was learned, but here nobody reads.
    assert {k: v == b[k] for k, v in a.items()} == dict.fromkeys(a, True)
    assert quality.report(cut_up.quality.total) == quality.report(singly.quality.total)
    assert dangling(cut_up.model) == []
    if shape is NARROW:
        assert cut_up.model.ids.evicted > 500
        assert cut_up.users.ids.evicted > 500


def test_the_order_within_a_batch_counts() -> None:
    def after(events: list[tuple[str, str, float]]) -> dict[str, float]:
        model = Recommender(WIDE, PIPELINE)
        users = model.open()
        (learned,) = learn_all(model, users, as_events(events))
        size = learned.lists.length[0]
        names = [model.ids.names[slot] for slot in learned.lists.item[0, :size]]
        return dict(zip(names, learned.lists.score[0, :size].tolist(), strict=True))

    there = [("ann", "tea", 0.0), ("ann", "jam", 0.0), ("bob", "jam", 0.0), ("bob", "oat", 0.0)]
    # `tea` leads to `jam` by a whole, back by a half.
    assert after(there[:2])["tea"] < after([there[1], there[0]])["jam"] * 1.01
    assert after(there) != after(there[::-1])


def test_a_user_let_go_within_a_batch_still_has_a_last_list() -> None:
    model = Recommender(Shape(items=50, users=2), PIPELINE)
    users = model.open()
    events = as_events([(f"u{n}", "tea", float(n)) for n in range(5)] + [("u0", "jam", 9.0)])
    (learned,) = learn_all(model, users, events)
    assert [events.user[k] for k in learned.lists.event] == ["u1", "u2", "u3", "u4", "u0"]


def two_partitions(shape: Shape) -> tuple[Recommender, Users, Users]:
    model = Recommender(shape, PIPELINE)
    return model, model.open(), model.open()


def test_items_let_go_leave_the_users_of_all_partitions() -> None:
    model, one, two = two_partitions(NARROW)
    for n, event in enumerate(EVENTS[:1_000]):
        model.learn((one, two)[n % 2], as_events([event]))
        assert n % 50 or dangling(model) == []
    assert model.ids.evicted > 100


def test_what_is_trending_are_the_most_popular_of_all_that_are_left() -> None:
    model = Recommender(Shape(items=320, users=50), PIPELINE)
    users = model.open()
    for start, event in enumerate(stream(6_000, users=60, items=1_000)):
        model.learn(users, as_events([event], start))
        if start % 100 == 0:
            for scale, size in enumerate(model.world.trend.size):
                weight = model.world.items.weight[:, scale]
                top = model.world.trend.top[scale, :size]
                assert weight[top].tolist() == np.sort(weight)[::-1][:size].tolist()
                assert size == min(96, len(model.ids))
    assert model.ids.evicted > 500


def test_a_closed_partition_is_forgotten() -> None:
    model, one, two = two_partitions(NARROW)
    model.close(one)
    assert model.partitions == [two]


def test_a_replay_of_known_events_teaches_users_and_leaves_items_alone() -> None:
    model, one, _ = two_partitions(WIDE)
    learn_all(model, one, as_events(EVENTS[:500]))
    before = frozen.dump_items(model.pipeline, model.world, model.ids)
    again = model.open()
    events = as_events([*EVENTS[:500], ("ann", "an item that was let go since", 2e9)])
    model.learn(again, events, REMEMBER)
    after = frozen.dump_items(model.pipeline, model.world, model.ids)
    assert {k: v == after[k] for k, v in before.items()} == dict.fromkeys(before, True)
    for row, name in enumerate(one.ids.names):
        twin = again.ids.find(name)
        assert one.rows.chosen[row] == again.rows.chosen[twin]
        assert one.rows.history[row].tolist() == again.rows.history[twin].tolist()
    ann = again.ids.find("ann")
    assert again.rows.chosen[ann] == 0
    assert again.rows.length[ann] == 20, "someone who chose nothing known sees what is trending"


def test_similar_items_never_name_the_item_itself() -> None:
    model, one, _ = two_partitions(WIDE)
    learn_all(model, one, as_events(EVENTS))
    slots = np.arange(len(model.ids), dtype=np.int32)
    found, score, size = model.similar(slots, 10)
    for slot, row, scores, n in zip(slots, found, score, size, strict=True):
        assert slot not in row[:n]
        assert len(set(row[:n].tolist())) == n
        assert scores[:n].tolist() == sorted(scores[:n], reverse=True)
        assert np.isfinite(scores[:n]).all()
