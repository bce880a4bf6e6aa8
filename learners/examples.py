"""Examples of predictors: each factory returns a new River estimator that has learned nothing."""

from typing import Any


def elec() -> Any:
    """Return scaled logistic regression, as for the electricity prices of elec2."""
    from river import linear_model, preprocessing

    return preprocessing.StandardScaler() | linear_model.LogisticRegression()
