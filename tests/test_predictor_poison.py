"""What a predictor raises on leaves no trace; what raises on everything is called no longer."""

from typing import Any

import msgspec
import pytest
from river import compose, dummy, linear_model, preprocessing
from river.base import Classifier, Regressor

from contracts import metrics
from contracts.errors import SettingsError
from contracts.settings import Settings
from learners.predictor import COPY_AFTER, Predictor
from streams.predictions.fuses import BLOWS_AFTER, TRIED_EVERY
from tests.predictor_rows import PRICES, batch
from tests.test_predictor_shard import World, features, label

HERE = "tests.test_predictor_poison"
ODD = {"price": "much", "demand": 1.0}


def prices() -> Any:
    return preprocessing.StandardScaler() | linear_model.LinearRegression()


class Touchy(Regressor):  # type: ignore[misc]  # River ships no types
    """Answers how many it has learned; learns before it raises; asking moves it, too."""

    def __init__(self) -> None:
        self.learned = self.asked = 0

    def learn_one(self, x: dict[str, Any], y: Any) -> None:  # noqa: ARG002 - River's
        """Learn."""
        self.learned += 1
        if "bad" in x:
            raise RuntimeError("no")

    def predict_one(self, x: dict[str, Any]) -> float:
        """Answer."""
        self.asked += 1
        if "odd" in x:
            raise KeyError("odd")
        return self.learned + self.asked / 1e6


class Wild(Classifier):  # type: ignore[misc]  # as above
    """Gives chances that are as asked."""

    def learn_one(self, x: dict[str, Any], y: Any) -> None:
        """Learn nothing."""

    def predict_proba_one(self, x: dict[str, Any]) -> dict[Any, Any]:
        """Answer with chances."""
        return {True: 0.6, False: float("nan") if "nan" in x else 0.4}


def unsavable() -> Any:
    return compose.FuncTransformer(lambda x: x) | dummy.StatisticRegressor(None)


def world(factory: str, name: str = "it") -> World:
    return World(Settings(predictors={name: f"{HERE}:{factory}", "elec": "learners.examples:elec"}))


def test_a_label_that_raises_half_way_through_a_pipeline_leaves_no_trace() -> None:
    one, other = (Predictor("it", f"{HERE}:prices") for _ in range(2))
    for n, (x, y) in enumerate(PRICES):
        given = one.answer(x)
        assert given == other.answer(x)
        if n % 50 == 7:
            with pytest.raises(TypeError):
                other.learn(x, "tea", given)
        one.learn(x, y, given)
        other.learn(x, y, given)
    assert one.score.figures() == other.score.figures()


def test_a_failure_after_many_copies_leaves_no_trace_of_itself_only() -> None:
    one, other = (Predictor("it", f"{HERE}:Touchy") for _ in range(2))
    for n in range(COPY_AFTER + 50):
        given = one.answer({})
        assert given == other.answer({})
        if n % 333 == 0:
            with pytest.raises(RuntimeError):
                other.learn({"bad": 1.0}, 1.0, given)
        if n % 100 == 3:
            for each in (one, other):
                with pytest.raises(KeyError):
                    each.answer({"odd": 1.0})
        one.learn({}, 1.0, given)
        other.learn({}, 1.0, given)


def test_where_it_was_copied_changes_nothing_after_a_failure() -> None:
    one, other = (Predictor("it", f"{HERE}:Touchy") for _ in range(2))
    for n in range(40):
        for each in (one, other):
            given = each.answer({})
            each.learn({}, 1.0, given)
        if n % 7 == 0:
            other.load(other.dump())
        if n % 10 == 9:
            for each in (one, other):
                with pytest.raises(RuntimeError):
                    each.learn({"bad": 1.0}, 1.0, given)
    assert one.answer({}) == other.answer({})


def test_a_label_after_which_no_answer_would_be_finite_is_not_learned() -> None:
    it = world("prices")
    for n, price in enumerate([1.0, 2.0, 1e200, 1e300, 1e300, 3.0, 4.0]):
        it.handle("features", features(n, {"price": price}, "it"))
        it.handle("labels", label(n, 1.0, "it"))
    (answer,) = it.handle("features", features(99, {"price": 2.0}, "it"))
    assert isinstance(answer["answer"], float)
    assert (it.telemetry.value(metrics.DEAD_LETTERS, reason="predictor_failed") or 0) > 0


def test_chances_that_are_not_finite_become_a_dead_letter() -> None:
    it = world("Wild")
    (letter,) = it.handle("features", features(1, {"nan": 1.0}, "it"))
    assert letter["reason"] == "predictor_failed"
    assert it.handle("features", features(2, {"a": 1.0}, "it"))[0]["answer"] is True


def test_features_wait_on_for_a_label_that_is_mended_and_sent_again() -> None:
    it = world("prices")
    it.handle("features", features(1, {"price": 1.0}, "it"))
    assert it.handle("labels", label(1, "tea", "it"))[0]["reason"] == "predictor_failed"
    assert it.handle("labels", label(1, 3.0, "it")) == []


def test_a_factory_whose_estimator_cannot_be_saved_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="cannot be saved"):
        Predictor("it", f"{HERE}:unsavable")


def test_what_raises_on_everything_is_called_no_longer_and_the_others_go_on() -> None:
    it = world("Touchy")
    letters = [
        it.handle("features", features(n, {"odd": 1.0}, "it"))[0]["reason"]
        for n in range(BLOWS_AFTER + 3 * TRIED_EVERY)
    ]
    assert letters[:BLOWS_AFTER] == ["predictor_failed"] * BLOWS_AFTER
    tried = ["predictor_out"] * (TRIED_EVERY - 1) + ["predictor_failed"]
    assert letters[BLOWS_AFTER:] == 3 * tried
    assert out(it, "predict_one") == 1
    assert out(it, "learn_one") == 0
    assert it.ask(1, {"price": 1.0})["answer"] is False


def test_one_that_is_well_again_comes_back_at_its_next_trial_without_a_restart() -> None:
    it = world("Touchy")
    for n in range(BLOWS_AFTER):
        it.handle("features", features(n, {"odd": 1.0}, "it"))
    told = [it.handle("features", features(n, {}, "it"))[0] for n in range(TRIED_EVERY + 1)]
    assert [body.get("reason") for body in told] == ["predictor_out"] * 9 + [None, None]
    assert out(it, "predict_one") == 0


def test_one_that_cannot_learn_any_longer_answers_as_it_stands() -> None:
    it = world("Touchy")
    for n in range(BLOWS_AFTER + 5):
        it.handle("features", features(n, {"bad": 1.0}, "it"))
        it.handle("labels", label(n, 1.0, "it"))
    assert out(it, "learn_one") == 1
    assert it.handle("features", features(999, {}, "it"))[0]["version"] == 0


def test_after_a_reset_one_that_was_out_is_called_again() -> None:
    it = world("Touchy")
    for n in range(BLOWS_AFTER):
        it.handle("features", features(n, {"odd": 1.0}, "it"))
    it.shard.clear("it")
    assert out(it, "predict_one") == 0
    assert it.handle("features", features(0, {}, "it"))[0]["answer"] < 1.0


def test_a_label_that_cannot_judge_a_frozen_predictor_is_a_dead_letter_and_no_blow() -> None:
    it = world("Touchy")
    it.handle("features", features(1, {}, "it"))
    frozen = batch("labels", *[label(1, "tea", "it")] * (BLOWS_AFTER + 1))
    letters = it.shard.handle(frozen._replace(frozen=frozenset({"it"}))).messages
    assert {dict(letter.headers)["reason"] for letter in letters} == {b"predictor_failed"}
    assert out(it, "learn_one") == 0
    assert it.handle("labels", label(1, 3.0, "it")) == []


def test_a_replay_from_any_snapshot_takes_it_out_at_the_same_message() -> None:
    one, other = world("Touchy"), world("Touchy")
    odd = [{"odd": 1.0}] * (BLOWS_AFTER + 25)
    whole = [one.handle("features", features(n, x, "it")) for n, x in enumerate([*odd, {}, {}])]
    for n, x in enumerate(odd):
        other.handle("features", features(n, x, "it"))
        if n in (BLOWS_AFTER - 5, BLOWS_AFTER + 14):
            saved, at = other.shard.dump(), n + 1
            third = world("Touchy")
            third.shard.load(saved)
            rest = list(enumerate([*odd, {}, {}]))[at:]
            assert whole[at:] == [third.handle("features", features(m, y, "it")) for m, y in rest]


def test_a_snapshot_of_before_there_were_fuses_is_loaded() -> None:
    parts = world("Touchy").shard.dump()
    del parts["fuses"]
    world("Touchy").shard.load(parts)


def out(it: World, verb: str) -> float | None:
    return it.telemetry.value(metrics.LEARNER_OUT, learner="it", verb=verb)


def test_what_a_factory_of_numpy_answers_is_told_as_a_plain_number() -> None:
    import numpy as np

    predictor = Predictor("it", f"{HERE}:Touchy")
    predictor._estimator.learned = np.float64(2.5)
    assert msgspec.json.encode(predictor.answer({}).answer) == b"2.500001"
