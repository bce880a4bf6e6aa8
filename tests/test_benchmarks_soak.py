"""The soak: passers-by come and go, and the report tells whether a worker has grown."""

from argparse import Namespace

import msgspec
import pytest

from benchmarks import soak
from benchmarks.passers import ITEMS, USERS, passers


def test_passers_by_come_and_go() -> None:
    early, late = ([msgspec.json.decode(v) for _, v in passers(n, 2_000)] for n in (0, 10**6))
    assert not {row["user"] for row in early} & {row["user"] for row in late}
    assert not {row["item"] for row in early} & {row["item"] for row in late}
    assert len({row["event_id"] for row in early + late}) == 4_000
    assert all(int(row["user"].partition("-")[2]) < USERS + 2_000 for row in early)
    assert all(int(row["item"].partition("-")[2]) < ITEMS + 2_000 for row in early)


def test_a_key_is_the_user_that_the_event_names() -> None:
    assert all(key.decode() == msgspec.json.decode(v)["user"] for key, v in passers(5, 100))


@pytest.mark.parametrize(("last", "flat"), [(104, True), (106, False)])
def test_more_than_five_percent_is_growth(
    last: int, flat: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = [look(n, 100 if n < 50 else last) for n in range(101)]
    assert soak._verdict(looks, 100) is flat
    assert ("MISSED" in capsys.readouterr().out) is not flat


def look(learned: int, megabytes: int) -> soak.Look:
    size = megabytes * 1_000_000
    return soak.Look(float(learned), float(learned), size, size, size, {}, {})


@pytest.mark.long
def test_a_real_worker_is_watched_to_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "BLOCK", 1_000)
    soak.main(Namespace(events=4_000, partitions=2))
    out = capsys.readouterr().out
    assert "4,000" in out
    assert "worker MB" in out
    assert "target ≤ 5" in out
