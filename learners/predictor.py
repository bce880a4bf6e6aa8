"""A predictor: a River estimator by its import path, asked first and taught later."""

import importlib
import math
import pickle
from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.errors import SettingsError, StateRefused
from learners.predictor_score import Score

X = dict[str, Any]


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
        SettingsError: `path` leads to no factory of a River classifier or regressor.
    """

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path
        self.version = 0
        self._estimator = _estimator(name, path)
        self.kind = _kind(self._estimator, name, path)
        self.score = Score(self.kind)
        self._prepare()

    def _prepare(self) -> None:
        self.describes = str(self._estimator)
        self._has_chances = self.kind == "classifier"
        self._likeliest = self._has_chances and _answers_likeliest(self._estimator)

    def answer(self, x: X) -> Answer:
        """Return the answer to these features.

        Raises:
            Exception: whatever the estimator raises on odd features.
            ValueError: its answer is not a finite number.
        """
        chances = self._chances(x) if self._has_chances else None
        if chances is not None and self._likeliest:
            found = max(chances, key=chances.__getitem__) if chances else None
        else:
            found = self._estimator.predict_one(x)
        if isinstance(found, float) and not math.isfinite(found):
            raise ValueError(f"the answer is {found}")
        if chances and (found not in chances or not math.isfinite(chances[found])):
            raise ValueError(f"the chances of {found!r} are {chances.get(found)}")
        return Answer(found, chances, self.version)

    def _chances(self, x: X) -> dict[Any, float] | None:
        try:
            found: dict[Any, float] = self._estimator.predict_proba_one(x)
        except NotImplementedError:
            self._has_chances = False
            return None
        return found

    def learn(self, x: X, y: Any, given: Answer) -> None:
        """Judge the answer that was given to `x`, then learn its label.

        Raises:
            Exception: whatever the estimator raises on an odd label.
        """
        if given.answer is not None:
            self.score.judge(given.answer, given.chances, y)
        self._estimator.learn_one(x, y)
        self.version += 1

    def dump(self) -> bytes:
        """Return the whole state, a pickle."""
        state = (self.path, self.kind, self.version, self.score, self._estimator)
        return pickle.dumps(state, protocol=5)

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
        self._estimator = estimator
        self._prepare()


def _estimator(name: str, path: str) -> Any:
    where = f"HEADWATER_PREDICTORS {name}={path}"
    module, _, factory = path.partition(":")
    if not module or not factory:
        raise SettingsError(f"{where}: must be package.module:factory")
    try:
        found = getattr(importlib.import_module(module), factory)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{where}: no module '{error.name}'; put its folder on PYTHONPATH"
        ) from None
    except AttributeError:
        raise SettingsError(f"{where}: {module} has no '{factory}'; name its factory") from None
    except Exception as error:
        raise SettingsError(f"{where}: importing {module} raised {error!r}; mend it") from error
    try:
        return found()
    except Exception as error:
        raise SettingsError(f"{where}: {factory}() raised {error!r}; mend it") from error


def _kind(estimator: Any, name: str, path: str) -> str:
    from river import base

    for kind, class_ in (("classifier", base.Classifier), ("regressor", base.Regressor)):
        if isinstance(estimator, class_):
            return kind
    raise SettingsError(
        f"HEADWATER_PREDICTORS {name}={path}: the factory gave {type(estimator).__name__}, not a "
        "River classifier or regressor; let it return one, or a pipeline that ends in one"
    )


def _answers_likeliest(estimator: Any) -> bool:
    """Return whether `predict_one` is River's own, so that one call tells answer and chances."""
    from river import base, compose

    last = estimator
    while isinstance(last, compose.Pipeline):
        last = list(last.steps.values())[-1]
    return type(last).predict_one is base.Classifier.predict_one
