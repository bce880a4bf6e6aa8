"""A predictor: a River estimator by its import path, asked first and taught later.

An attempt that raises leaves no trace. River's estimators are half taught where they raise (a
scaler has learned what the regression behind it refuses), and a copy before each attempt would
cost more than learning does. So one copy is kept, and what the estimator was asked and taught
since; after a failure the copy lives through that again. Each `dump` is a new copy for nothing.
"""

import math
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from contracts.errors import SettingsError, StateRefused
from learners.factories import answers_likeliest, estimator_of, kind_of
from learners.predictor_score import Score

X = dict[str, Any]
COPY_AFTER = 1_000  # attempts: for a forest of ten some 30 ms of pickling after 300 ms of learning
ASKED = object()  # in place of a label


class Answer(NamedTuple):
    """What a predictor said, and by which version: how many labels it had learned.

    `answer` is None while it knows nothing; `chances` are its probabilities by label, if it has
    any.
    """

    answer: Any
    chances: Mapping[Any, float] | None
    version: int

    @property
    def probability(self) -> float | None:
        """The probability of the answer."""
        return self.chances[self.answer] if self.chances else None


class Predictor:
    """One estimator that lives: `answer(x)`, later `learn(x, y, given)`.

    It adds nothing to the estimator: answers are those of a loop of `predict_one`, `learn_one`.

    >>> predictor = Predictor("elec", "learners.examples:elec")
    >>> given = predictor.answer({"price": 1.0})
    >>> given.answer, given.probability, given.version
    (False, 0.5, 0)
    >>> predictor.learn({"price": 1.0}, True, given)
    >>> predictor.answer({"price": 1.0}).version
    1

    Raises:
        SettingsError: `path` leads to no factory of a River classifier or regressor, or to one
            that cannot be saved.
    """

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path
        self.version = 0
        self._estimator = estimator_of(name, path)
        self.kind = kind_of(self._estimator, name, path)
        self.score = Score(self.kind)
        self._prepare()
        try:
            self.dump()
        except Exception as error:
            raise SettingsError(
                f"HEADWATER_PREDICTORS {name}={path}: what the factory gave cannot be saved "
                f"({error!r}); leave out what cannot be pickled, such as a lambda"
            ) from error

    def _prepare(self) -> None:
        self.describes = str(self._estimator)
        self._has_chances = self.kind == "classifier"
        self._likeliest = self._has_chances and answers_likeliest(self._estimator)

    def answer(self, x: X) -> Answer:
        """Return the answer to these features.

        Raises:
            Exception: whatever the estimator raises on odd features.
            ValueError: its answer, or one of its chances, is not a finite number.
        """
        self._copy_now_and_then()
        self._since.append((x, ASKED))  # where it raises, too: what that changes, it changes again
        return self._ask(x)

    def _ask(self, x: X) -> Answer:
        chances = self._chances(x) if self._has_chances else None
        if chances is not None and self._likeliest:
            found = max(chances, key=chances.__getitem__) if chances else None
        else:
            found = self._estimator.predict_one(x)
        if isinstance(found, np.generic):
            found = found.item()
        if isinstance(found, float) and not math.isfinite(found):
            raise ValueError(f"the answer is {found}")
        if chances and (found not in chances or not all(map(math.isfinite, chances.values()))):
            raise ValueError(f"the answer is {found!r} and the chances are {chances!r:.200}")
        return Answer(found, chances, self.version)

    def _chances(self, x: X) -> dict[Any, float] | None:
        try:
            found = self._estimator.predict_proba_one(x)
        except NotImplementedError:
            self._has_chances = False
            return None
        return {label: float(chance) for label, chance in found.items()}

    def learn(self, x: X, y: Any, given: Answer) -> None:
        """Learn the label of `x`, and judge the answer that was given; both or nothing.

        Raises:
            Exception: whatever the estimator raises on an odd label.
            ValueError: with this label its answer would no longer be a finite number.
        """
        self._copy_now_and_then()
        try:
            self._teach(x, y)
            if given.answer is not None:
                self.score.judge(given.answer, given.chances, y)
        except Exception:
            self._set_back()
            raise
        self.version += 1
        self._since.append((x, y))

    def _teach(self, x: X, y: Any) -> None:
        self._estimator.learn_one(x, y)
        self._ask(x)

    def _copy_now_and_then(self) -> None:
        if len(self._since) >= COPY_AFTER:
            self.dump()

    def _set_back(self) -> None:
        """Be as before an attempt that raised."""
        *_, self._estimator = pickle.loads(self._copy)  # noqa: S301 - of our own making, or signed
        for x, y in self._since:
            with suppress(Exception):  # asking may raise as it did; teaching did not
                self._ask(x) if y is ASKED else self._teach(x, y)
        self.dump()

    def dump(self) -> bytes:
        """Return the whole state, a pickle."""
        state = (self.path, self.kind, self.version, self.score, self._estimator)
        self._copy, self._since = pickle.dumps(state, protocol=5), list[tuple[X, Any]]()
        return self._copy

    def load(self, data: bytes) -> None:
        """Become the state that `dump` gave; `data` must be what we wrote ourselves.

        Raises:
            StateRefused: another factory made it, or its classes are not there.
        """
        try:
            path, kind, version, score, estimator = pickle.loads(data)  # noqa: S301 - signed, see above
        except Exception as error:
            raise StateRefused(
                f"the saved predictor '{self.name}' cannot be read ({error!r}); "
                "put its modules back, or name the predictor anew to begin from nothing"
            ) from error
        if path != self.path:
            raise StateRefused(
                f"predictor '{self.name}' was saved by {path}, the settings name {self.path}; "
                "set it back, or give the new one another name"
            )
        self.kind, self.version, self.score = kind, version, score
        self._estimator, self._copy, self._since = estimator, data, []
        self._prepare()
