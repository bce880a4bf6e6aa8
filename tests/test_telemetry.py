"""Telemetry holds the table of metrics, and health tells the truth."""

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from contracts import events, metrics
from contracts.errors import SettingsError
from streams.telemetry.http import Endpoint, Health
from streams.telemetry.metrics import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def endpoint(telemetry: Telemetry, health: Health) -> Iterator[Endpoint]:
    with Endpoint(telemetry.registry, health, "127.0.0.1", 0) as endpoint:
        yield endpoint


def get(endpoint: Endpoint, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(endpoint.url + path, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def bucket(telemetry: Telemetry, le: str) -> float | None:
    return telemetry.registry.get_sample_value("headwater_freshness_seconds_bucket", {"le": le})


def test_every_metric_of_the_table_is_exposed_with_its_kind(endpoint: Endpoint) -> None:
    _, text = get(endpoint, "/metrics")
    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}
    exposed = {name: kind for name, kind in kinds.items() if not name.endswith("_created")}
    assert exposed == {m.name: m.kind for m in metrics.METRICS}


def test_every_reason_for_a_dead_letter_stands_at_zero_from_the_start(
    telemetry: Telemetry,
) -> None:
    name = "headwater_dead_letters_total"
    at = [telemetry.registry.get_sample_value(name, {"reason": r}) for r in events.REASONS]
    assert [0.0] * len(events.REASONS) == at


def test_a_batch_of_observations_equals_the_same_ones_made_singly() -> None:
    values = np.random.default_rng(1).exponential(0.02, 500)
    one, many = Telemetry(CollectorRegistry()), Telemetry(CollectorRegistry())
    for value in values:
        one.observe(metrics.FRESHNESS, value)
    many.observe_many(metrics.FRESHNESS, values)
    for bound in metrics.FRESHNESS.buckets:
        assert bucket(one, str(bound)) == bucket(many, str(bound))


def test_a_weighted_observation_counts_as_often_as_its_weight(telemetry: Telemetry) -> None:
    telemetry.observe_many(metrics.FRESHNESS, [0.001, 0.004], weights=[1, 2])
    telemetry.observe(metrics.FRESHNESS, 0.001, 2)
    assert [bucket(telemetry, "0.001"), bucket(telemetry, "+Inf")] == [3.0, 5.0]


def test_a_value_on_a_bound_belongs_to_its_bucket(telemetry: Telemetry) -> None:
    telemetry.observe(metrics.FRESHNESS, 0.002)
    assert [bucket(telemetry, "0.001"), bucket(telemetry, "0.002")] == [0.0, 1.0]


def test_values_that_are_not_finite_are_ignored_and_negative_ones_are_zero(
    telemetry: Telemetry,
) -> None:
    telemetry.observe_many(metrics.FRESHNESS, [np.nan, np.inf, -0.5, 0.5])
    telemetry.observe(metrics.FRESHNESS, float("nan"))
    assert bucket(telemetry, "+Inf") == 2.0
    assert telemetry.registry.get_sample_value("headwater_freshness_seconds_sum") == 0.5


def test_a_partition_given_away_is_shown_no_longer(telemetry: Telemetry) -> None:
    telemetry.set(metrics.LAG, 7, topic="interactions", partition=0)
    telemetry.forget(metrics.LAG, partition="0", topic="interactions")
    telemetry.forget(metrics.LAG, partition="1", topic="interactions")
    labels = {"topic": "interactions", "partition": "0"}
    assert telemetry.registry.get_sample_value("headwater_lag_events", labels) is None


def test_labels_that_the_table_does_not_name_are_refused(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="label"):
        telemetry.observe(metrics.STAGE_SECONDS, 1.0, user="ann")
    with pytest.raises(ValueError, match="label"):
        telemetry.count(metrics.LISTS, 1, user="ann")


def test_a_worker_that_starts_is_alive_and_not_ready(endpoint: Endpoint) -> None:
    assert get(endpoint, "/healthz") == (200, "alive, not ready: starting\n")
    assert get(endpoint, "/readyz") == (503, "starting\n")


def test_a_worker_that_waits_for_redis_is_alive_and_says_why_it_is_not_ready(
    endpoint: Endpoint, health: Health
) -> None:
    health.ready, health.reason = False, "waiting for redis at 127.0.0.1:6379"
    assert get(endpoint, "/healthz")[0] == 200
    assert get(endpoint, "/readyz") == (503, "waiting for redis at 127.0.0.1:6379\n")


def test_a_stalled_worker_is_neither_alive_nor_ready(endpoint: Endpoint, health: Health) -> None:
    health.ready, health.reason = True, ""
    health.stall("no progress for 60 s, lag 12")
    assert get(endpoint, "/healthz") == (503, "no progress for 60 s, lag 12\n")
    assert get(endpoint, "/readyz") == (503, "no progress for 60 s, lag 12\n")


def test_a_loop_that_hangs_is_found_although_it_cannot_say_so(
    endpoint: Endpoint, health: Health
) -> None:
    health.ready, health.reason = True, ""
    health.beat_every_s = 5.0
    assert get(endpoint, "/readyz")[0] == 200
    health.beaten_at -= 6.0
    assert get(endpoint, "/healthz")[0] == 503
    health.beat()
    assert get(endpoint, "/healthz")[0] == 200


def test_another_path_is_told_what_there_is(endpoint: Endpoint) -> None:
    assert get(endpoint, "/")[0] == 404


def test_a_taken_port_gives_the_next_free_one_and_the_log_says_so(
    telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        with (
            caplog.at_level(logging.WARNING),
            Endpoint(telemetry.registry, Health(), "127.0.0.1", taken) as second,
        ):
            assert second.port > taken
            assert get(second, "/healthz")[0] == 200
    assert f"metrics port {taken} is taken" in caplog.text


def test_a_host_that_is_not_this_machine_is_named(telemetry: Telemetry) -> None:
    with pytest.raises(SettingsError, match=r"HEADWATER_METRICS_HOST=192\.0\.2\.1"):
        Endpoint(telemetry.registry, Health(), "192.0.2.1", 0)
