"""Chaos, its short version: what is killed and cut off loses nothing, a planted bug is found."""

import itertools
import logging
import socket
import threading
from pathlib import Path

import pytest

from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.runner import Plan, run
from benchmarks.chaos.schedule import KINDS, Fault, plan
from benchmarks.chaos.verdict import Verdict
from benchmarks.chaos.watch import Seen, wrong
from state.manifest import Log, Manifest

SEED = 5
log = logging.getLogger(__name__)
FAULTS = [
    Fault(3.0, "kill", "worker1", 0.0),
    Fault(4.0, "kafka-reset", "kafka", 0.3),
    Fault(11.0, "redis-kill", "redis", 0.5),
    Fault(14.0, "redis-full", "redis", 1.0),
    Fault(17.0, "freeze", "worker1", 1.0),
    Fault(19.0, "redis-reset", "redis", 0.2),
    Fault(20.0, "kill", "worker1", 0.0),
]


def verdict(folder: Path, faults: list[Fault], seconds: float, **more: object) -> Verdict:
    """Run a short chaos; what it says is shown if the test fails."""
    found = run(Plan(faults, seconds, SEED, **more), folder, log.warning)  # type: ignore[arg-type]
    log.warning(found.text())
    return found


def test_whatever_is_killed_and_cut_off_the_state_is_that_of_an_undisturbed_worker(
    tmp_path: Path,
) -> None:
    assert verdict(tmp_path, FAULTS, 22.0).good


@pytest.mark.long
def test_an_offset_that_is_saved_before_its_state_is_found(tmp_path: Path) -> None:
    kill = Fault(3.0, "kill", "worker1", 0.0)
    found = verdict(tmp_path, [kill], 16.0, bug="offset-first").found
    assert found["every_event_counts_once"]
    assert found["users_are_as_undisturbed"]


@pytest.mark.long
def test_a_guest_who_is_handed_over_twice_is_found(tmp_path: Path) -> None:
    kills = [Fault(at, "kill", "worker1", 0.0) for at in (5.0, 15.0)]
    more = {"partitions": 2, "bug": "handed-twice", "guests": 0.3}
    assert verdict(tmp_path, kills, 22.0, **more).found["guests_are_members"]


@pytest.mark.long
def test_an_item_that_stays_listed_although_it_is_hidden_is_found(tmp_path: Path) -> None:
    found = verdict(tmp_path, [], 8.0, bug="never-hidden").found
    assert found["hidden_items_are_nowhere"]


@pytest.mark.long
def test_who_was_replaced_while_frozen_and_saves_all_the_same_is_found(tmp_path: Path) -> None:
    freeze = Fault(6.0, "freeze", "worker1", 15.0)
    found = verdict(tmp_path, [freeze], 26.0, workers=2, partitions=2, bug="without-epoch").found
    assert any("went back" in why for why in found["nobody_saved_what_was_not_theirs"])


def test_a_seed_gives_one_schedule_in_which_nothing_is_befallen_by_two_faults_at_once() -> None:
    faults = plan(SEED, 600.0, 150, workers=2)
    assert faults == plan(SEED, 600.0, 150, workers=2)
    assert {fault.kind for fault in faults} == set(KINDS)
    for target in {fault.target for fault in faults}:
        mine = [fault for fault in faults if fault.target == target]
        for one, next_ in itertools.pairwise(mine):
            assert one.at_s + one.lasts_s < next_.at_s


@pytest.mark.parametrize(
    ("epoch", "offset", "says"),
    [(4, 50, "in epoch 4 although 5 had begun"), (5, 30, "went back"), (6, 30, ""), (5, 50, "")],
)
def test_a_snapshot_must_be_its_owners_and_go_on(epoch: int, offset: int, says: str) -> None:
    before = Seen(5, _page(5, 40))
    found = wrong(before, _page(epoch, offset))
    assert [says in why for why in found] == ([True] if says else [])


def _page(epoch: int, offset: int) -> Manifest:
    return Manifest(Log("c"), {"interactions": {0: offset}}, epoch, 0.0, {}, 0)


def test_a_proxy_passes_on_holds_up_and_resets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        echo = threading.Thread(target=_echo, args=(server,), daemon=True)
        echo.start()
        with (
            Proxy(server.getsockname()[1]) as proxy,
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client,
        ):
            client.sendall(b"tea")
            assert client.recv(10) == b"tea"
            proxy.stall()
            client.sendall(b"jam")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(10)
            client.settimeout(5)
            proxy.resume()
            assert client.recv(10) == b"jam"
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                client.recv(10)
        echo.join(5)


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        try:
            while data := connection.recv(100):
                connection.sendall(data)
        except ConnectionResetError:
            return
