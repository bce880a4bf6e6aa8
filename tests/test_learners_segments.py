"""Strangers get what is chosen where they come from: counted once, saved, the same everywhere."""

from typing import Any

import numpy as np
import pytest

from contracts.pipeline import Generators, Pipeline, Popularity, Segments
from contracts.segments import MOST_VALUES
from learners import cleared, compare, frozen
from learners.batches import Events
from learners.erased import Choice
from learners.recommender import Recommender
from learners.segments_erased import leave_segments
from learners.shown import shown
from learners.step import JUDGE, REMEMBER
from learners.still import Stills
from learners.users import Shape, Users
from learners.weights import weights
from tests.learners_kit import dangling, learn_all, state_of

NAMES = ("country", "device")
PIPELINE = Pipeline(segments=Segments(context=NAMES))
PLAIN = Pipeline()
LANDS = ["de", "fr", "it"]
Lives = tuple[Recommender, Users]
Context = dict[str, Any] | None


def born(pipeline: Pipeline = PIPELINE, shape: Shape = Shape(), served: bool = True) -> Lives:  # noqa: B008 - frozen
    model = Recommender(shape, pipeline)
    return model, model.open(served)


def visits(n: int, seed: int = 1, first: int = 0, step_s: float = 10.0) -> Events:
    """Return first events of people, each of whom takes one of ten items of their country."""
    rng = np.random.default_rng(seed)
    lands = rng.integers(3, size=n).tolist()
    items = [f"{LANDS[land]}-{int(10 * rng.random() ** 2)}" for land in lands]
    devices = rng.choice(["phone", "desk"], n).tolist()
    said: list[Context] = [
        {"country": LANDS[land], "device": device}
        for land, device in zip(lands, devices, strict=True)
    ]
    people = [f"u{first + k}" for k in range(n)]
    ts = [1.4e9 + step_s * (first + k) for k in range(n)]
    return Events.choices(people, items, ts, first_version=first + 1)._replace(context=said)


def saying(events: Events, *context: Context) -> Events:
    return events._replace(context=list(context))


def totals(model: Recommender) -> dict[str, float]:
    """Return how much each segment has chosen, as of now."""
    trend, rules = model.world.trend, model.rules
    life = rules.half_lives[rules.baseline]
    now = 2.0 ** ((trend.origin[rules.baseline] - model.latest) / life)
    found = model.world.segments.total * now
    return dict(zip(model.segments.known, found.tolist(), strict=False))


def first_of(model: Recommender, segment: str) -> str:
    lists = shown(model, model.segments.known.index(segment))
    name: str = model.ids.names[lists.item[0, 0]]
    return name.partition("-")[0]


def hits(model: Recommender, users: Users, events: Events) -> tuple[float, float]:
    """Return how often the item was among the first ten, by stored and by fresh lists."""
    verdicts = [learned.verdicts for learned in learn_all(model, users, events)]
    stored, fresh = (
        np.concatenate([getattr(each, name) for each in verdicts]) for name in ("stored", "fresh")
    )
    return tuple(float(((p >= 0) & (p < 10)).mean()) for p in (stored, fresh))  # type: ignore[return-value]


def test_a_stranger_gets_what_people_of_the_country_choose() -> None:
    model, users = born()
    learn_all(model, users, visits(600))
    for land in LANDS:
        assert first_of(model, f"country={land}") == land
    assert model.room.segment.tolist() == [-1, -1]


def test_first_events_are_hit_more_often_than_by_trending() -> None:
    (one, users), (other, others) = born(), born(PLAIN)
    for model, of in ((one, users), (other, others)):
        learn_all(model, of, visits(600))
    stored, fresh = hits(one, users, visits(300, seed=2, first=600))
    _, trending = hits(other, others, visits(300, seed=2, first=600))
    assert min(stored, fresh) > 0.95 > 1.5 * trending


def test_stored_is_judged_by_the_first_segment_and_fresh_by_all() -> None:
    model, users = born()
    learn_all(model, users, visits(600))
    only = saying(visits(1, seed=3, first=600), {"country": "de"})
    both = saying(only, {"country": "de", "device": "phone"})
    twin = frozen.dump_items(model.pipeline, model.world, model.ids)
    found = model.learn(users, only).verdicts
    again, its_users = born()
    frozen.load_items(again, twin)
    its = again.learn(its_users, both).verdicts
    assert (its.stored[0], found.stored[0]) == (found.fresh[0], found.fresh[0])


def test_what_each_segment_chose_is_a_sum_over_all_its_events() -> None:
    model, users = born()
    events = visits(400, step_s=3_000.0)
    learn_all(model, users, events)
    age = (events.ts[-1] - events.ts) / model.rules.half_lives[model.rules.baseline]
    wanted: dict[str, float] = {}
    for weight, said in zip((2.0**-age).tolist(), events.context, strict=True):
        for name, value in (said or {}).items():
            wanted[f"{name}={value}"] = wanted.get(f"{name}={value}", 0.0) + weight
    assert totals(model) == pytest.approx(wanted, rel=1e-9)


def test_weights_survive_their_origin_and_a_year() -> None:
    model, users = born(Pipeline(
        generators=Generators(popularity=Popularity((3_600.0,), 3_600.0)),
        segments=Segments(context=NAMES),
    ))  # fmt: skip
    learn_all(model, users, visits(300, step_s=100_000.0))
    segments = model.world.segments
    assert np.isfinite(segments.weight).all()
    assert sum(totals(model).values()) == pytest.approx(2.0, rel=1e-3)
    summed = segments.weight.sum(axis=1, where=np.arange(128) < segments.size[:, None])
    assert summed == pytest.approx(segments.total, rel=1e-4)


@pytest.mark.parametrize("size", [1, 7, 400])
def test_nothing_depends_on_how_events_are_cut_into_batches(size: int) -> None:
    events, (whole, users), (cut, others) = visits(400), born(), born()
    learn_all(whole, users, events)
    for at in range(0, 400, size):
        learn_all(cut, others, events.after(at).first(size))
    assert state_of(whole, users) == state_of(cut, others)


def test_a_state_that_was_saved_lives_the_same_life() -> None:
    model, users = born()
    learn_all(model, users, visits(300))
    still = Stills().items(model)
    before = frozen.dump_items(model.pipeline, model.world, model.ids)
    heir, others = born()
    frozen.load_items(heir, before)
    frozen.load_users(others, heir.ids, frozen.dump_users(users, model.ids))
    for one, of in ((model, users), (heir, others)):
        learn_all(one, of, visits(300, seed=2, first=300))
    assert state_of(model, users) == state_of(heir, others)
    assert heir.segments.known == model.segments.known
    assert frozen.dump_items(model.pipeline, *still) == before


def test_who_follows_counts_the_same() -> None:
    (owner, users), (follower, others) = born(), born(served=False)
    for model, of in ((owner, users), (follower, others)):
        learn_all(model, of, visits(300))
    mine, theirs = (
        frozen.dump_items(model.pipeline, model.world, model.ids) for model in (owner, follower)
    )
    assert set(compare.items(mine, theirs)) <= {"head.weight", "head.square"}


def test_workers_that_learn_partitions_in_turns_of_their_own_agree() -> None:
    model, other = Recommender(Shape(), PIPELINE), Recommender(Shape(), PIPELINE)
    zero, one = visits(200, step_s=3_000.0), visits(200, seed=2, first=200, step_s=3_000.0)
    for events, at in ((zero, 0), (one, 1)):
        learn_all(model, [model.open(), model.open()][at], events)
    for events in (one, zero):
        learn_all(other, other.open(), events)
    parts = [frozen.dump_items(m.pipeline, m.world, m.ids) for m in (model, other)]
    scale = model.rules.baseline
    life = float(model.rules.half_lives[scale])
    assert compare.segments(parts[0], parts[1], life, scale)
    learn_all(other, other.partitions[0], visits(1, first=900))
    late = frozen.dump_items(other.pipeline, other.world, other.ids)
    assert not compare.segments(parts[0], late, life, scale)


def test_frozen_or_known_already_nothing_is_counted() -> None:
    model, users = born()
    for mode in (JUDGE, REMEMBER):
        model.learn(users, visits(50), mode)
    assert model.segments.known == []
    assert not model.world.segments.total.any()


def test_values_that_cannot_be_segments_are_counted_and_the_event_is_learned() -> None:
    model, users = born()
    bad: list[Any] = [["de"], {"a": 1}, "x" * 100, "", 10**400, "a\0b", float("nan")]
    events = saying(visits(len(bad)), *({"country": value, "device": True} for value in bad))
    learn_all(model, users, events)
    assert model.segments.known == ["device=true", "country=nan"]
    assert model.segments.refused == {("country", "unusable"): 6}
    assert model.world.items.seen.sum() == len(bad)


def test_as_many_values_as_are_kept_and_no_more() -> None:
    model, users = born()
    n = MOST_VALUES + 10
    learn_all(model, users, saying(visits(n), *({"country": k, "device": k % 2} for k in range(n))))
    assert len(model.segments.known) == MOST_VALUES + 2
    assert model.segments.refused == {("country", "beyond"): 10}


def test_the_hour_is_that_of_the_event_unless_it_says_one() -> None:
    model, users = born(Pipeline(segments=Segments(context=("hour",))))
    learn_all(
        model, users, Events.choices(["ann", "bob"], ["tea", "tea"], [3_600.0 * 14, 3_600.0 * 39])
    )
    learn_all(model, users, saying(visits(1), {"hour": 23}))
    assert model.segments.known == ["hour=14", "hour=15", "hour=23"]


def test_items_that_are_let_go_leave_segments() -> None:
    model, users = born(shape=Shape(items=20, users=50))
    learn_all(model, users, visits(400))
    assert model.ids.evicted
    segments = model.world.segments
    known = set(model.ids.find_all(model.ids.dump()[0]).tolist())
    for row in range(len(model.segments.known)):
        assert set(segments.item[row, : segments.size[row]].tolist()) <= known
    assert dangling(model) == []


def test_who_begins_popularity_anew_begins_segments_anew() -> None:
    model, users = born()
    learn_all(model, users, visits(100))
    cleared.clear(model, "popularity")
    assert not model.world.segments.total.any()
    assert model.segments.known


def test_people_with_a_history_are_ranked_as_without_segments_and_other_pipelines_know_none() -> (
    None
):
    (model, users), (plain, others) = born(), born(PLAIN)
    events = visits(200)
    silent = events._replace(context=())
    for one, of in ((model, users), (plain, others)):
        learn_all(one, of, silent)
    assert np.array_equal(users.rows.listed, others.rows.listed)
    parts = frozen.dump_items(plain.pipeline, plain.world, plain.ids)
    assert not [name for name in parts if name.startswith("segments")]
    assert "segments" in weights(model)["all"]
    assert "segments" not in weights(plain)["all"]


def test_a_blend_looks_at_no_context() -> None:
    model, users = born(Pipeline(head="blend", segments=Segments(context=NAMES)))
    learn_all(model, users, visits(50))
    assert model.segments.known == []


def test_a_mixture_learns_what_segments_are_worth() -> None:
    model, users = born(Pipeline(head="mixture", segments=Segments(context=NAMES)))
    learn_all(model, users, visits(600))
    stored, fresh = hits(model, users, visits(300, seed=2, first=600))
    assert min(stored, fresh) > 0.5


def test_who_leaves_takes_along_what_the_log_tells_of_contexts() -> None:
    (model, users), (wanted, others) = born(), born()
    events = visits(300, step_s=3_000.0)
    people = [f"u{k % 30}" for k in range(300)]
    events = events._replace(user=people)
    assert events.context
    gone = [k for k in range(300) if people[k] == "u7"]
    choices = [Choice(events.item[k], float(events.ts[k]), 1.0) for k in gone]
    learn_all(model, users, events)
    leave_segments(model, choices, [events.context[k] for k in gone])
    for k in range(300):
        if k not in gone:
            learn_all(wanted, others, events.after(k).first(1))
    assert totals(model) == pytest.approx(totals(wanted), rel=1e-9)
    assert chosen_in(model) == pytest.approx(chosen_in(wanted), rel=1e-4, abs=1e-6)


def chosen_in(model: Recommender) -> dict[tuple[str, str], float]:
    """Return what each segment has chosen how much, as of now."""
    trend, rules, segments = model.world.trend, model.rules, model.world.segments
    life = rules.half_lives[rules.baseline]
    now = 2.0 ** ((trend.origin[rules.baseline] - model.latest) / life)
    return {
        (segment, model.ids.names[segments.item[row, k]]): float(segments.weight[row, k] * now)
        for row, segment in enumerate(model.segments.known)
        for k in range(segments.size[row])
    }
