"""From a predictor's import path in the settings to a River estimator."""

import importlib
from typing import Any

from contracts.errors import SettingsError


def estimator_of(name: str, path: str) -> Any:
    """Return what the factory makes.

    Raises:
        SettingsError: the path leads to no factory, or it raises.
    """
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


def kind_of(estimator: Any, name: str, path: str) -> str:
    """Return `classifier` or `regressor`.

    Raises:
        SettingsError: it is neither.
    """
    from river import base

    for kind, class_ in (("classifier", base.Classifier), ("regressor", base.Regressor)):
        if isinstance(estimator, class_):
            return kind
    raise SettingsError(
        f"HEADWATER_PREDICTORS {name}={path}: the factory gave {type(estimator).__name__}, not a "
        "River classifier or regressor; let it return one, or a pipeline that ends in one"
    )


def answers_likeliest(estimator: Any) -> bool:
    """Return whether `predict_one` is River's own, so that one call tells answer and chances."""
    from river import base, compose

    last = estimator
    while isinstance(last, compose.Pipeline):
        last = list(last.steps.values())[-1]
    return type(last).predict_one is base.Classifier.predict_one
