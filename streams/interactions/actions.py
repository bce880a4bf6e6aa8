"""Actions: what each event weighs, and whether its item may come back."""

from collections.abc import Sequence

import numpy as np

from contracts.pipeline import Action, Pipeline
from learners.arrays import F64, Flags

UNNAMED = Action()


class Actions:
    """Looks actions up in a pipeline; `repeats` holds where an action says nothing of it.

    >>> weight, barred = Actions(Pipeline(), "learn")(["view", "hide"])
    >>> weight.tolist(), barred.tolist()
    ([1.0, -1.0], [False, True])
    """

    def __init__(self, pipeline: Pipeline, repeats: str) -> None:
        self._pipeline = pipeline
        self._repeats = repeats

    def __call__(self, names: Sequence[str]) -> tuple[F64, Flags]:
        """Return the weight of each event, and whether its item must not be offered again."""
        kinds = set(names)
        if len(kinds) == 1:
            weight, barred = self._of(kinds.pop())
            return np.full(len(names), weight), np.full(len(names), barred)
        of = {name: self._of(name) for name in kinds}
        pairs = [of[name] for name in names]
        return np.array([w for w, _ in pairs]), np.array([b for _, b in pairs], np.bool_)

    def _of(self, name: str) -> tuple[float, bool]:
        action = self._pipeline.actions.get(name, UNNAMED)
        repeats = action.repeats or self._repeats
        return action.weight, action.weight < 0.0 or repeats == "never"
