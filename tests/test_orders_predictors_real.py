"""Orders to a predictor on real Kafka and Redis, whose worker is killed meanwhile."""

import copy
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.metrics import FROZEN
from contracts.settings import Settings
from headwater import orders
from headwater.cli import main
from learners.examples import elec
from serving.scrape import Samples, scrape
from state.manifest import Manifest
from state.opened import snapshots
from streams.kafka import producer
from streams.sources import examples
from streams.sources.examples import Example
from tests import children
from tests.data import data_file
from tests.producers_world import World
from tests.test_predictor_kafka import answers

EACH = 40  # rows between two orders


@pytest.fixture
def world(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    named = msgspec.structs.replace(
        settings,
        predictors={"elec": "learners.examples:elec"},
        partitions=1,
        snapshot_every_s=0.5,
        snapshots_kept=100,
        wait_s=30.0,
    )
    world = World(named, tmp_path / "one")
    for name, value in children.environ(world.settings).items():
        monkeypatch.setenv(name, value)
    return world


def test_a_predictor_obeys_as_a_bare_loop_would_though_its_worker_is_killed(world: World) -> None:
    groups = rows(8)
    with world.worker() as killed:
        send(world, groups[0])
        good = version(world, EACH)
        send(world, groups[1])
        assert main(["freeze", "elec", "--why", "wrong labels"]) == 0
        send(world, groups[2])
        killed.send(9)
        send(world, groups[3])
    with world.worker():
        world.until(lambda: frozen(world) == {"lists": 0.0, "elec": 1.0})
        assert main(["thaw", "elec"]) == 0
        send(world, groups[4])
        assert main(["reset", "elec"]) == 0
        send(world, groups[5])
        assert main(["rollback", good, "elec", "--skip"]) == 0
        send(world, groups[6])
        assert main(["rollback", good, "elec", "--replay"]) == 0
        send(world, groups[7])
        wanted = dict(obeying(groups))
        assert answers(world.settings, len(wanted)) == wanted
        assert frozen(world) == {"lists": 0.0, "elec": 0.0}


def test_who_is_no_predictor_is_said_before_an_order_is_given(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["freeze", "churn"], ["reset", "churn"], ["rollback", "x", "churn", "--skip"]):
        assert main(command) == 2
        assert "there is no 'churn', only " in capsys.readouterr().err
    assert main(["rollback", "20200101T000000Z", "elec", "--skip"]) == 2
    assert "no version '20200101T000000Z' of elec" in capsys.readouterr().err
    assert world.records("control") == []


def rows(groups: int) -> list[list[Example]]:
    """Return the first rows of elec2, in groups."""
    path = data_file("elec2/elec.csv.gz")
    found = iter(list(islice(examples.read(path, "elec", "class"), groups * EACH)))
    return [list(islice(found, EACH)) for _ in range(groups)]


def send(world: World, some: Sequence[Example]) -> None:
    producer.examples(some, world.settings, lambda _: None)


def version(world: World, labels: int) -> str:
    """Return the newest version, once so many labels are in it."""

    async def newest(client: Any) -> list[Manifest]:
        return await snapshots(world.settings, client).all("predictors:0")

    def saved() -> list[Manifest]:
        return orders.answered(world.settings, newest)[:1]

    world.until(lambda: [m.offsets["labels"] for m in saved()] == [{0: labels}])
    return saved()[0].version


def frozen(world: World) -> dict[str, float]:
    url = f"http://127.0.0.1:{world.settings.metrics_port}/metrics"
    return dict((scrape(url) or Samples()).by(FROZEN, "model"))


def obeying(groups: Sequence[Sequence[Example]]) -> Iterator[tuple[str, Any]]:
    """Yield id and answer as a bare loop gives them, to which the same was done."""
    model, learned, good = elec(), 0, (elec(), 0)
    for n, group in enumerate(groups):
        if n == 5:
            model, learned = elec(), 0
        elif n == 6:
            model, learned = good
        for features, label in group:
            chances, answer = (
                model.predict_proba_one(features["x"]),
                model.predict_one(features["x"]),
            )
            yield features["id"], (answer, chances[answer], learned)
            if n not in (2, 3) and label is not None:
                model.learn_one(features["x"], label["y"])
                learned += 1
        if n == 0:
            good = copy.deepcopy(model), learned
