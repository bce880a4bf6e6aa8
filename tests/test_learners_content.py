"""Items that nobody has chosen come on lists by their attributes; what is learned knows no more."""

import math
from typing import Any

import numpy as np
import pytest

from contracts.pipeline import Content, Exploration, Generators, Pipeline, digest
from headwater.shop import shop
from learners import frozen
from learners.attributes import KEPT, Described, features_of
from learners.batches import Events
from learners.content import LOOKED_AT
from learners.recommender import Recommender
from learners.room import COLUMN, COLUMN_BITS, CONTENT, LAST_CONTENT
from learners.shelves import LONG, RARE
from learners.users import Shape, Users
from tests.learners_kit import as_events, state_of, stream

POOL = 64
PIPELINE = Pipeline(
    generators=Generators(content=Content(newcomers=POOL)), exploration=Exploration(share=0.1)
)
WIDE = Shape(items=5_000, users=5_000)
NARROW = Shape(items=40, users=25, history=6, seen=32)
EVENTS = stream(2_000, users=60, items=120)
ITEMS = [f"i{n}" for n in range(150)]  # the last ones are never chosen
NOT_LEARNED = ("head.", "newcomers", "tried.", "users items", "users users.listed")


def said(name: str) -> dict[str, object]:
    n = int(name[1:])
    return {"group": f"g{n % 8}", "text": f"word{n} word{n + 8} word{n + 16}"}


def known(names: list[str] = ITEMS) -> Described:
    found = Described()
    for name in names:
        found.tell(name, said(name))
    return found


class Life:
    """A model that knows what was said of items, and what events left."""

    def __init__(self, shape: Shape = WIDE, described: Described | None = None) -> None:
        described = known() if described is None else described
        self.model = Recommender(shape, PIPELINE, described=described)
        self.users = self.model.open()
        self.verdicts: list[Any] = []
        self.lists: dict[str, Any] = {}

    def learn(self, events: list[tuple[str, str, float]], cut: int = 500) -> "Life":
        """Learn events in batches; note what is judged, and each user's last list."""
        for start in range(0, len(events), cut):
            batch = as_events(events[start : start + cut], start + 1)
            while batch.user:
                learned = self.model.learn(self.users, batch)
                self.verdicts += zip(*(v.tolist() for v in learned.verdicts), strict=True)
                self._read(batch, learned.lists)
                batch = batch.after(len(learned.user))
        return self

    def _read(self, events: Events, lists: Any) -> None:
        names = self.model.ids.names
        for row, k in enumerate(lists.event.tolist()):
            size = lists.length[row]
            items = [names[slot] for slot in lists.item[row, :size].tolist()]
            self.lists[events.user[k]] = items, lists.odds[row, :size].tolist()


def learned_of(model: Recommender, users: Users) -> dict[str, bytes]:
    """Return what follows from the events alone."""
    return {k: v for k, v in state_of(model, users).items() if not k.startswith(NOT_LEARNED)}


@pytest.mark.parametrize("cut", [7, 2_000])
@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=["wide", "narrow"])
def test_lists_odds_and_verdicts_are_the_same_for_every_cut(shape: Shape, cut: int) -> None:
    singly, cut_up = Life(shape).learn(EVENTS, 1), Life(shape).learn(EVENTS, cut)
    assert cut_up.verdicts == singly.verdicts
    assert cut_up.lists == singly.lists
    a, b = learned_of(singly.model, singly.users), learned_of(cut_up.model, cut_up.users)
    assert [name for name in a if a[name] != b[name]] == []


def test_what_is_learned_of_items_and_users_does_not_know_what_was_said() -> None:
    told, untold = Life().learn(EVENTS), Life(described=Described()).learn(EVENTS)
    a, b = learned_of(told.model, told.users), learned_of(untold.model, untold.users)
    lists = {"users users.length", "users users.version", "users users.made"}
    assert [name for name in a if a[name] != b[name] and name not in lists] == []
    assert told.lists != untold.lists


@pytest.mark.parametrize("when", [0, 1, 1_200])
def test_a_restored_state_lives_the_same_life(when: int) -> None:
    described = known()
    one = Life(described=described).learn(EVENTS[:when])
    twin = Life(described=described)
    frozen.load_items(
        twin.model, frozen.dump_items(one.model.pipeline, one.model.world, one.model.ids)
    )
    twin.users = twin.model.open()
    twin.model.follow_newcomers()
    frozen.load_users(twin.users, twin.model.ids, frozen.dump_users(one.users, one.model.ids))
    assert state_of(one.model, one.users).keys() == state_of(twin.model, twin.users).keys()
    rows = [life.users.rows.length[: len(life.users.ids)].tolist() for life in (one, twin)]
    assert rows[0] == rows[1]
    assert one.model.world.tried.lists.sum() == twin.model.world.tried.lists.sum()
    a = learned_of(*learned(one, EVENTS[when:]))
    b = learned_of(*learned(twin, EVENTS[when:]))
    assert [name for name in a if a[name] != b[name] and "length" not in name] == []


def learned(life: Life, events: list[tuple[str, str, float]]) -> tuple[Recommender, Users]:
    life.learn(events)
    life.model.world.items.dirty[:] = False
    return life.model, life.users


def test_mass_is_the_shared_features_of_a_plain_reference() -> None:
    life = Life().learn(EVENTS)
    model, users, described = life.model, life.users, known()
    features = {name: {f for f in described.of(name).tolist() if f >= 0} for name in ITEMS}
    for user in ("u1", "u7", "u30"):
        slot = users.ids.find(user)
        model.peek(users, slot, model.latest)
        past = [model.ids.names[i] for i in users.rows.history[slot, :LOOKED_AT].tolist()]
        for name in ITEMS:
            item = int(model.ids.find_shown([name])[0])
            if item < 0 or model.world.items.seen[item] >= RARE:
                continue
            wanted = [0.0, 0.0]
            for back, last in enumerate(past):
                for feature in features[last] & features[name]:
                    if item in shelf(model, feature):
                        rare = math.log2((1 + len(ITEMS)) / described.often[feature])
                        wanted[0] += rare**2 / (back + 1) ** 2
                        wanted[1] += rare**2 * (back == 0)
            assert masses(model, item) == pytest.approx(wanted, rel=1e-5)


def shelf(model: Recommender, feature: int) -> list[int]:
    content = model.newcomers.content
    found: list[int] = content.shelf[feature, : content.size[feature]].tolist()
    assert len(set(found)) == len(found) <= LONG
    return found


def masses(model: Recommender, item: int) -> list[float]:
    room, place = model.room, int(model.room.place[item])
    if place >> COLUMN_BITS != room.stamp[0]:
        return [0.0, 0.0]
    return [float(room.mass[room.scales + v, place & COLUMN]) for v in (CONTENT, LAST_CONTENT)]


def test_an_item_that_nobody_has_chosen_stands_on_lists_of_those_it_fits() -> None:
    life = Life().learn(EVENTS)
    listed = {name for items, _ in life.lists.values() for name in items}
    assert listed - {item for _, item, _ in EVENTS}
    for user, (items, _) in life.lists.items():
        slot = life.users.ids.find(user)
        past = life.users.rows.history[slot, :LOOKED_AT].tolist()
        near = [set(features_of(said(life.model.ids.names[item]))) for item in past]
        for name in set(items) & set(ITEMS[130:]):
            assert any(features & set(features_of(said(name))) for features in near)


def test_a_tenth_of_the_places_is_explored_each_with_its_odds() -> None:
    life = Life().learn(EVENTS)
    counts = [sum(p > 0 for p in odds) for _, odds in life.lists.values()]
    assert max(counts) == 2, "2 of 20"
    for items, odds in life.lists.values():
        assert len(set(items)) == len(items)
        assert all(0.0 <= p <= 1.0 for p in odds)
        assert not any(odds[:5]), "never the first quarter"
    assert life.model.world.tried.lists.sum() > len(EVENTS)


def test_who_is_pushed_out_of_the_pool_leaves_every_list() -> None:
    described = known()
    life = Life(described=described).learn(EVENTS)
    for n in range(1_000, 1_200):
        described.tell(f"i{n}", said(f"i{n}"))
        if n % 10 == 0:
            life.model.follow_newcomers()
    life.model.follow_newcomers()
    ids = life.model.ids
    assert len(ids.lent) <= POOL
    live = {*ids.lent.values(), *(ids.find(name) for name in ids.dump()[0])}
    for user in life.users.ids.dump()[0]:
        slot = life.users.ids.find(user)
        assert set(life.users.rows.listed[slot, : life.users.rows.length[slot]].tolist()) <= live
    assert not life.model.ids.evicted


def test_what_is_hidden_is_never_given_out() -> None:
    life = Life()
    hidden = frozenset(ITEMS[130:140])
    life.model.hide(hidden)
    life.learn(EVENTS)
    assert not hidden & {name for items, _ in life.lists.values() for name in items}
    life.model.hide(frozenset())
    life.learn([(f"u{n}", f"i{n}", EVENTS[-1][2] + n) for n in range(60)])
    assert hidden & {name for items, _ in life.lists.values() for name in items}


def test_an_item_without_attributes_any_more_fits_nobody() -> None:
    described = known()
    life = Life(described=described)
    for name in ITEMS[130:]:
        described.tell(name, {})
    life.learn(EVENTS)
    assert not set(ITEMS[130:]) & {name for items, _ in life.lists.values() for name in items}


@pytest.mark.parametrize(
    "attributes",
    [
        {"x": float("nan"), "y": float("inf"), "z": -float("inf"), "n": 10**400, "m": -3},
        {"x": {"deep": [1]}, "y": [[1], None, {}], "z": None, "": ""},
        {"text": "\ud800 broken half", "many": [str(n) for n in range(10_000)]},
        {"long": "word " * 100_000},
    ],
)
def test_whatever_is_said_becomes_a_few_features(attributes: dict[str, object]) -> None:
    found = features_of(attributes)
    assert len(found) == len(set(found)) <= KEPT
    described = Described()
    described.tell("a", attributes)
    described.tell("a", {})
    assert not described.often.any()
    assert len(described) == 0


def test_features_are_those_of_every_process() -> None:
    assert features_of({"a": "b"}) == [12_495], "crc32 of a=b, below 2 ** 18"
    assert features_of({"price": 30}) == features_of({"price": 32}) != features_of({"price": 300})


def test_a_pipeline_without_content_is_the_one_that_was_learned_before() -> None:
    plain = Pipeline()
    assert digest(plain) == digest(Pipeline(exploration=Exploration(share=0.0)))
    assert digest(PIPELINE) != digest(plain)
    silent = Pipeline(generators=Generators(content=Content(newcomers=POOL)))
    assert digest(PIPELINE) == digest(silent), "how much is explored may change at any time"
    assert np.zeros(0).size == len(Recommender(WIDE, plain).world.tried.lists)


def test_where_fewer_are_new_than_places_are_explored_nothing_stands_twice() -> None:
    """What is left when all are drawn is what was rounded away: it is no chance of anybody."""
    pipeline = Pipeline(
        generators=Generators(content=Content(newcomers=64)), exploration=Exploration(share=0.5)
    )
    events = [(e["user"], e["item"], e["ts"]) for e in shop(3, users=300, items=120, events=3_000)]
    names = sorted({item for _, item, _ in events})
    kinds = sorted({name.split("-")[0] for name in names})
    described = Described()
    for name in [*names, *(f"{kind}-new{n}" for kind in kinds for n in range(2))]:
        described.tell(name, {"category": name.split("-")[0]})
    model = Recommender(Shape(items=5_000, users=5_000), pipeline, described=described)
    users, hidden = model.open(), frozenset(names[::5])
    model.hide(hidden)
    for at in range(0, len(events), 50):
        lists = model.learn(users, as_events(events[at : at + 50], at + 1)).lists
        for row, length in enumerate(lists.length.tolist()):
            given = [model.ids.names[item] for item in lists.item[row, :length].tolist()]
            assert len(set(given)) == length
            assert hidden.isdisjoint(given)
            assert lists.odds[row, :length].max(initial=0.0) <= 1.0
