"""How good a predictor's answers were, judged before it learned from the labels."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

WINDOW = 1000
LEAST_CHANCE = 1e-15  # as River clips it: one certain mistake must not make the loss infinite


class Score:
    """Accuracy and log loss of a classifier's answers, mean absolute error of a regressor's.

    The window is the last thousand judged answers.

    >>> score = Score("classifier")
    >>> score.judge(True, {True: 0.8, False: 0.2}, 1)
    >>> score.judge(True, {True: 0.8, False: 0.2}, 0)
    >>> score.figures()["accuracy"], round(score.figures()["log_loss"], 4)
    (0.5, 0.9163)
    """

    def __init__(self, kind: str) -> None:
        self._classifies = kind == "classifier"
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._judged = 0
        self._total = 0.0  # right answers, or the sum of absolute errors
        self._loss = 0.0
        self._weighed = 0

    def judge(self, answer: Any, chances: Mapping[Any, float] | None, y: Any) -> None:
        """Count one answer against what turned out to be true; where it raises, nothing counts.

        Raises:
            TypeError, ValueError, OverflowError: it cannot be held against such a label.
        """
        value = float(answer == y) if self._classifies else abs(answer - y)
        if not math.isfinite(value):
            raise ValueError(f"the answer {answer!r} is off by {value}")
        loss = _loss(chances.get(y, 0.0)) if chances else 0.0
        self._judged += 1
        self._total += value
        self._recent.append(value)
        self._weighed += bool(chances)
        self._loss += loss

    def figures(self) -> dict[str, float]:
        """Return what is known: `accuracy` or `mean_absolute_error`, of all and of the window."""
        name = "accuracy" if self._classifies else "mean_absolute_error"
        found: dict[str, float] = {"judged": self._judged}
        if self._judged:
            found[name] = self._total / self._judged
            found[f"{name}_window"] = sum(self._recent) / len(self._recent)
        if self._weighed:
            found["log_loss"] = self._loss / self._weighed
        return found


def _loss(chance: float) -> float:
    return -math.log(min(max(chance, LEAST_CHANCE), 1 - LEAST_CHANCE))
