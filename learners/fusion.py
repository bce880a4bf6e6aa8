"""Fusion: several generators, one list, with weights learned online."""

from collections.abc import Hashable, Sequence
from typing import Any

from contracts import pipeline
from contracts.pipeline import Generators, Pipeline
from learners.arrays import I32
from learners.asked import teach_offered
from learners.cooccurrence import CoOccurrence
from learners.foreign import Foreign, RiverRanker
from learners.neighbours import Neighbours
from learners.popularity import Popularity
from learners.ranker import FIELDS, NOTHING, KernelRanker
from learners.recent import Recent
from learners.room import Room
from learners.transitions import Transitions
from learners.weights import weights

AnyGenerator = Popularity | Recent | CoOccurrence | Transitions | Neighbours | RiverRanker
RATE = Pipeline().rate


class Fusion(KernelRanker):
    """Rank the candidates of several generators by a softmax that learns from every event.

    Without generators all of them are used. `head` may be `mixture` or `blend` for speed. See
    `learners/head.py` for how each of them works. A River ranker that is not ours may be a
    generator, too, at the price that `learners/foreign.py` tells.

    >>> ranker = Fusion([Popularity(), Recent(), CoOccurrence()])
    >>> for user in ["ann", "bob", "cat"]:
    ...     for item in ["tea", "jam"]:
    ...         ranker.learn_one(user, item)
    >>> ranker.learn_one("eve", "tea")
    >>> ranker.candidates("eve", 1)
    ['jam']

    Raises:
        ValueError: a generator comes twice or is none, a blend is to weigh a ranker that is not
            ours, or head or rate are none that there are.
    """

    def __init__(
        self,
        generators: Sequence[AnyGenerator] | None = None,
        head: str = "softmax",
        rate: float = RATE,
        repeats: str = "learn",
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.generators, self.head, self.rate = generators, head, rate
        given = generators or []
        ours = [each for each in given if not _is_foreign(each)]
        self.foreign = Foreign([each for each in given if _is_foreign(each)])
        if self.foreign.rankers and head == "blend":
            raise ValueError("a blend weighs nothing; for a ranker of your own use another head")
        chosen = Generators() if generators is None else _chosen(ours)
        made = Pipeline(head=head, rate=rate, generators=chosen)  # type: ignore[arg-type]  # Pipeline checks it
        super().__init__(made, repeats, history, capacity, foreign=self.foreign.names)

    def learn_one(
        self, user: Hashable, item: Hashable, y: float = 1.0, x: dict[str, Any] | None = None
    ) -> None:
        """Learn as any `KernelRanker` does; foreign rankers order candidates, then learn."""
        if not self.foreign.rankers:
            super().learn_one(user, item, y, x)
            return
        model, now, weight = self.recommender, self._now(x), self._weight(y)
        slot = model.ids.find(str(item))
        person, count = self._pass(user, NOTHING, x)
        if weight != 0.0:
            self.foreign.learn(user, item, y, x)  # first: where one fails, nothing is half learned
        if slot >= 0 and weight > 0.0:
            teach_offered(model.world, person, self.users.ids.find(str(user)), slot, now, count)
        super().learn_one(user, item, y, x)

    def _brought(self, user: Hashable) -> I32:
        return self.foreign.brought(self.recommender.ids, user)

    def _add(self, room: Room, count: int, user: Hashable, x: dict[str, Any] | None) -> None:
        self.foreign.fill(room, count, self.recommender.ids, user, x)

    def weights(self) -> dict[str, dict[str, float]]:
        """Return how much each generator counts in each segment, as shares of one."""
        return weights(self.recommender)


def _is_foreign(ranker: object) -> bool:
    if isinstance(ranker, (type, KernelRanker)):  # a class has the methods, too
        return False
    return isinstance(ranker, RiverRanker)


def _chosen(generators: Sequence[AnyGenerator]) -> Generators:
    fields: dict[str, object] = dict.fromkeys(FIELDS.values())
    fields["popularity"] = pipeline.Popularity()
    given: set[str] = set()
    for ranker in generators:
        generator = getattr(ranker, "generator", None)
        name = FIELDS.get(type(generator))
        if name is None:
            raise ValueError(
                f"{ranker!r:.60} is no generator; use {', '.join(FIELDS.values())}, or "
                "a ranker with River's learn_one and rank"
            )
        if name in given:
            raise ValueError(f"{name} comes twice")
        given.add(name)
        fields[name] = generator
    return Generators(**fields)  # type: ignore[arg-type]  # each field has its own type
