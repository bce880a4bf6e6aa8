"""River rankers that are not ours as generators of a fusion."""

import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from river.reco import BiasedMF

from learners.fusion import Fusion
from learners.popularity import Popularity
from learners.recent import Recent

ITEMS = [f"i{n}" for n in range(60)]
FEW = 30  # all of them are among the most popular


class Told:
    """Knows what comes next, for somebody has told it."""

    def __init__(self) -> None:
        self.next = ITEMS[0]
        self.learned: list[tuple[str, str, float]] = []

    def learn_one(
        self,
        user: str,
        item: str,
        y: float,
        x: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        """Note it."""
        self.learned.append((user, item, y))

    def rank(
        self,
        user: str,  # noqa: ARG002
        items: set[str],
        x: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Sequence[str]:
        """Put what comes next in front."""
        return sorted(items, key=lambda item: (item != self.next, item))


class Bringing(Told):
    """Has candidates of its own."""

    def candidates(self, user: str, n: int) -> Sequence[str]:  # noqa: ARG002
        """Return what comes next, and what no one has chosen."""
        return [self.next, "of no item"]


def _hits(ranker: Fusion, told: Told, events: range) -> int:
    hits = 0
    for n in events:
        told.next = ITEMS[n * n % 101 % FEW]
        hits += ranker.candidates("ann", 3)[:1] == [told.next]
        ranker.learn_one("ann", told.next, x={"ts": float(n)})
    return hits


@pytest.mark.parametrize("kind", [Told, Bringing])
@pytest.mark.parametrize("head", ["softmax", "mixture"])
def test_the_fusion_finds_out_that_a_foreign_ranker_knows(kind: type[Told], head: str) -> None:
    told = kind()
    ranker = Fusion([Popularity(), Recent(), told], head=head, repeats="always")
    _hits(ranker, told, range(300))
    assert _hits(ranker, told, range(300, 400)) >= 95
    shares = ranker.weights()["all"]
    assert shares[kind.__name__] == max(shares.values())
    assert told.learned[-1][:2] == ("ann", told.next)


def test_what_a_foreign_ranker_brings_must_not_return_either() -> None:
    told = Bringing()
    ranker = Fusion([Popularity(), told], repeats="never")
    for n, item in enumerate(ITEMS[:10]):
        ranker.learn_one("ann", item, x={"ts": float(n)})
        ranker.learn_one("bob", ITEMS[n + 10], x={"ts": float(n)})
    told.next = ITEMS[3]
    assert ITEMS[3] not in ranker.candidates("ann", 60)
    assert ITEMS[3] in ranker.candidates("bob", 60)
    assert ranker.predict_one("ann", ITEMS[3]) > 0.0, "who asks for an item's score is told it"


def test_rivers_own_rankers_will_do_and_a_restored_fusion_lives_the_same_life() -> None:
    ranker = Fusion([Popularity(), Recent(), BiasedMF(seed=1), BiasedMF(seed=2)])
    for n in range(60):
        ranker.learn_one(f"u{n % 7}", ITEMS[n * n % 50], x={"ts": float(n)})
    again = pickle.loads(pickle.dumps(ranker))  # noqa: S301 - made here
    for each in (ranker, again):
        each.learn_one("u3", "i1", x={"ts": 60.0})
    assert again.candidates("u3", 20) == ranker.candidates("u3", 20)
    assert {"BiasedMF", "BiasedMF 2"} < ranker.weights()["all"].keys()


def test_a_blend_refuses_what_it_would_not_weigh() -> None:
    with pytest.raises(ValueError, match="another head"):
        Fusion([Popularity(), Told()], head="blend")
    with pytest.raises(ValueError, match="is no generator"):
        Fusion([{}])  # type: ignore[list-item]  # what is tested
    with pytest.raises(ValueError, match="is no generator"):
        Fusion([Popularity])  # type: ignore[list-item]  # what is tested


class Failing(Told):
    """Cannot learn."""

    def learn_one(self, *_: object, **__: object) -> None:
        """Fail."""
        raise RuntimeError("no")


class Inventing(Told):
    """Returns what it was not given."""

    def rank(self, user: str, items: set[str], x: dict[str, Any] | None = None) -> Sequence[str]:
        """Return one more item."""
        return [*super().rank(user, items, x), "of no item"]


def test_where_a_foreign_ranker_fails_nothing_is_half_learned() -> None:
    ranker = Fusion([Popularity(), Failing()])
    with pytest.raises(RuntimeError):
        ranker.learn_one("ann", "tea")
    assert ranker.candidates("ann") == []
    with pytest.raises(ValueError, match=r"Inventing\.rank must return the items"):
        Fusion([Popularity(), Inventing()]).candidates("ann")


def test_what_teaches_nothing_teaches_foreign_rankers_nothing() -> None:
    told = Told()
    ranker = Fusion([Popularity(), told])
    for y in (1.0, 0.0, -1.0):
        ranker.learn_one("ann", "tea", y)
    assert [y for *_, y in told.learned] == [1.0, -1.0]
