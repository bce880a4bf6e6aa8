"""A predictor adds nothing to its estimator, and a wrong one is named before anything starts."""

from typing import Any

import pytest
from river import linear_model, naive_bayes, preprocessing, tree

from contracts.errors import SettingsError, StateRefused
from contracts.settings import Settings
from learners.predictor import Predictor
from streams.predictions.unit import check, replay_offline
from streams.sources.examples import Example
from tests.data import data_file
from tests.predictor_rows import PRICES, elec_rows


def regressor() -> Any:
    return preprocessing.StandardScaler() | linear_model.LinearRegression()


def bayes() -> Any:
    return naive_bayes.GaussianNB()


def hoeffding() -> Any:
    return tree.HoeffdingTreeClassifier(grace_period=20)


def scaler() -> Any:
    return preprocessing.StandardScaler()


def broken() -> Any:
    raise OSError("no licence")


FACTORIES = {"regressor": regressor, "bayes": bayes, "hoeffding": hoeffding}


def test_predictions_and_accuracy_on_elec2_are_those_of_a_bare_river_loop() -> None:
    rows = elec_rows(data_file("elec2/elec.csv.gz"))
    model = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    predictor = Predictor("elec", "learners.examples:elec")
    right = 0
    for x, y in rows:
        chances = model.predict_proba_one(x)
        expected = model.predict_one(x)
        given = predictor.answer(x)
        assert (expected, chances) == (given.answer, given.chances)
        right += expected == y
        model.learn_one(x, y)
        predictor.learn(x, y, given)
    assert right / len(rows) == predictor.score.figures()["accuracy"]


@pytest.mark.parametrize("name", FACTORIES)
def test_any_classifier_or_regressor_answers_as_it_does_alone(name: str) -> None:
    bare, predictor = FACTORIES[name](), Predictor("p", f"{__name__}:{name}")
    for x, y in PRICES:
        given = predictor.answer(x)
        assert bare.predict_one(x) == given.answer
        bare.learn_one(x, y)
        predictor.learn(x, y, given)


def test_a_saved_predictor_lives_the_same_life() -> None:
    one, other = (Predictor("elec", "learners.examples:elec") for _ in range(2))
    for x, y in PRICES[:100]:
        one.learn(x, y, one.answer(x))
    other.load(one.dump())
    for x, y in PRICES[100:]:
        assert one.answer(x) == other.answer(x)
        for predictor in (one, other):
            predictor.learn(x, y, predictor.answer(x))
    assert one.score.figures() == other.score.figures()


def test_a_state_of_another_factory_is_refused() -> None:
    saved = Predictor("p", f"{__name__}:bayes").dump()
    with pytest.raises(StateRefused, match="give the new one another name"):
        Predictor("p", f"{__name__}:hoeffding").load(saved)


def test_a_state_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(StateRefused, match="cannot be read"):
        Predictor("p", f"{__name__}:bayes").load(b"nonsense")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("learners.examples", "must be package.module:factory"),
        ("no.such.module:f", "no module 'no'; put its folder on PYTHONPATH"),
        ("learners.examples:nothing", "learners.examples has no 'nothing'"),
        (f"{__name__}:scaler", "gave StandardScaler, not a River classifier or regressor"),
        (f"{__name__}:broken", "no licence"),
    ],
)
def test_a_wrong_predictor_is_named_with_its_remedy_at_start(path: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        check(Settings(predictors={"p": path}))
    assert "HEADWATER_PREDICTORS p=" in str(caught.value)


@pytest.mark.parametrize("name", ["lists", "head", "popularity"])
def test_a_predictor_that_orders_could_not_tell_from_lists_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"'{name}' is what makes lists"):
        check(Settings(predictors={name: "learners.examples:elec"}))


def test_an_offline_replay_judges_as_a_bare_loop() -> None:
    rows = [
        Example(
            {"predictor": "p", "id": str(n), "x": x, "ts": 1e9 + n},
            {"predictor": "p", "id": str(n), "y": y, "ts": 1e9 + n},
        )
        for n, (x, y) in enumerate(PRICES)
    ]
    predictor = Predictor("p", f"{__name__}:bayes")
    for x, y in PRICES:
        predictor.learn(x, y, predictor.answer(x))
    report = replay_offline(rows, Settings(predictors={"p": f"{__name__}:bayes"}), "p").as_dict()
    expected = {"predictor": "p", "events": len(PRICES), "dead_letters": 0}
    assert {**expected, **predictor.score.figures()} == report


def test_an_offline_replay_of_an_unnamed_predictor_says_how_to_name_it() -> None:
    with pytest.raises(SettingsError, match=r"HEADWATER_PREDICTORS=p=package\.module:factory"):
        replay_offline([], Settings(), "p")
