"""`headwater recover --from-log`: what cannot be used is made anew from what Kafka still has."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaAdminClient, TopicPartition

from contracts import exits
from contracts.settings import Settings
from tests import children
from tests.backup_kit import command, learned, of, send
from tests.producers_world import World

FIRST = 100  # before this offset the log of partition 0 was deleted


def worker_ends(settings: Settings) -> "subprocess.CompletedProcess[str]":
    """Run a worker that ends by itself."""
    headwater = Path(sys.executable).with_name("headwater")
    environ = os.environ | children.environ(settings)
    return subprocess.run(
        [headwater, "worker"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_recover_says_that_it_lets_everything_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(Settings(), "recover") == exits.USAGE.code
    assert "--from-log" in capsys.readouterr().err


@pytest.mark.long
def test_a_state_that_nobody_can_read_is_made_anew_from_what_the_log_still_has(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = of(settings, tmp_path, 2)
    learned(world, 0)
    other = World(
        msgspec.structs.replace(world.settings, snapshot_key="quite another key"), tmp_path / "new"
    )
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.delete_records({TopicPartition(world.topic, 0): FIRST})
    refused = worker_ends(other.settings)
    assert refused.returncode == exits.STATE_REFUSED.code
    assert "no snapshot of '0' is good and the log no longer begins at 0" in refused.stderr
    with world.worker():
        assert command(other.settings, "recover", "--from-log") == exits.STATE_REFUSED.code
        assert "stop them first" in capsys.readouterr().err
    assert command(other.settings, "recover", "--from-log") == 0
    said = capsys.readouterr().out
    assert f"{world.topic} 0: " in said
    assert f"; {FIRST} from before are deleted, and what they taught is lost" in said
    assert f"{world.topic} 1: " in said
    with other.worker():
        left = int(said.rpartition("they learn ")[2].partition(" records")[0].replace(",", ""))
        other.until(lambda: other.came() >= left)
        n = left + send(other.settings, 1)
        other.until(lambda: other.came() >= n)
