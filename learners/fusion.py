"""Fusion: several generators, one list, with weights learned online."""

from collections.abc import Sequence

from contracts import pipeline
from contracts.pipeline import Generators, Pipeline
from learners.cooccurrence import CoOccurrence
from learners.neighbours import Neighbours
from learners.popularity import Popularity
from learners.ranker import FIELDS, KernelRanker
from learners.recent import Recent
from learners.transitions import Transitions
from learners.weights import weights

Generator = Popularity | Recent | CoOccurrence | Transitions | Neighbours
RATE = Pipeline().rate


class Fusion(KernelRanker):
    """Rank the candidates of several generators by a softmax that learns from every event.

    Without generators all of them are used. `head` may be `mixture` or `blend` for speed. See
    `learners/head.py` for how each of them works.

    >>> ranker = Fusion([Popularity(), Recent(), CoOccurrence()])
    >>> for user in ["ann", "bob", "cat"]:
    ...     for item in ["tea", "jam"]:
    ...         ranker.learn_one(user, item)
    >>> ranker.learn_one("eve", "tea")
    >>> ranker.candidates("eve", 1)
    ['jam']

    Raises:
        ValueError: a generator comes twice, or is none that the fusion knows.
    """

    def __init__(
        self,
        generators: Sequence[Generator] | None = None,
        head: str = "softmax",
        rate: float = RATE,
        repeats: str = "learn",
        history: int = 20,
        capacity: int = 200_000,
    ) -> None:
        self.generators, self.head, self.rate = generators, head, rate
        chosen = Generators() if generators is None else _chosen(generators)
        made = Pipeline(head=head, rate=rate, generators=chosen)  # type: ignore[arg-type]  # checked by the kernels' table of heads
        super().__init__(made, repeats, history, capacity)

    def weights(self) -> dict[str, dict[str, float]]:
        """Return how much each generator counts in each segment, as shares of one."""
        return weights(self.recommender)


def _chosen(generators: Sequence[Generator]) -> Generators:
    fields: dict[str, object] = dict.fromkeys(FIELDS.values())
    fields["popularity"] = pipeline.Popularity()
    given: set[str] = set()
    for ranker in generators:
        name = FIELDS.get(type(getattr(ranker, "generator", None)))
        if name is None:
            raise ValueError(
                f"{type(ranker).__name__} is no generator; use {', '.join(FIELDS.values())}"
            )
        if name in given:
            raise ValueError(f"{name} comes twice")
        given.add(name)
        fields[name] = ranker.generator
    return Generators(**fields)  # type: ignore[arg-type]  # each field has its own type
