"""Topics: created once, compared for ever, never changed behind the operator's back."""

import pytest
from kafka import KafkaAdminClient, KafkaProducer, OffsetAndMetadata, TopicPartition
from msgspec.structs import replace

from contracts.errors import KafkaAway, SettingsError
from contracts.settings import Settings
from contracts.topics import CONTROL, INTERACTIONS, TOPICS
from headwater.local import ports
from streams.kafka import offsets, topics
from streams.kafka.admin import servers


def test_missing_topics_are_created_and_a_second_look_finds_nothing(settings: Settings) -> None:
    missing = topics.check(settings)
    assert [d.topic for d in missing] == [settings.topic_prefix + t.name for t in TOPICS]
    assert all(d.fatal and "is missing" in str(d) for d in missing)
    assert topics.ensure(settings) == []
    assert topics.ensure(settings) == []
    assert topics.check(settings) == []


def test_a_changed_partition_count_is_refused_with_the_way_to_rebuild(settings: Settings) -> None:
    topics.ensure(settings)
    changed = topics.ensure(replace(settings, partitions=settings.partitions + 1))
    assert {d.topic.removeprefix(settings.topic_prefix) for d in changed} == {
        topic.name for topic in TOPICS if topic.partitions is None
    }
    assert all(d.fatal for d in changed)
    assert f"set HEADWATER_PARTITIONS={settings.partitions} to keep" in changed[0].remedy
    assert "headwater replay" in changed[0].remedy


def test_a_config_that_differs_is_named_with_the_command_that_mends_it(settings: Settings) -> None:
    ours = settings.topic_prefix + INTERACTIONS.name
    other = settings.topic_prefix + CONTROL.name
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.create_topics(
            {
                ours: {"num_partitions": settings.partitions, "configs": {"retention.ms": "1"}},
                other: {"num_partitions": 1, "configs": {"cleanup.policy": "compact"}},
            },
            wait_for_metadata=True,
        )
    found = {(d.topic, d.what): d for d in topics.ensure(settings)}
    assert set(found) == {
        (ours, "retention.ms"),
        (ours, "message.timestamp.type"),
        (other, "cleanup.policy"),
        (other, "retention.ms"),
    }
    assert not found[ours, "retention.ms"].fatal
    assert found[ours, "message.timestamp.type"].fatal
    assert "--add-config message.timestamp.type=LogAppendTime" in str(
        found[ours, "message.timestamp.type"]
    )


def test_more_copies_than_brokers_is_a_setting_to_mend(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="HEADWATER_REPLICATION=3 needs as many brokers"):
        topics.ensure(replace(settings, replication=3))


def test_lag_is_what_the_group_has_not_committed(settings: Settings) -> None:
    assert offsets.progress(settings) == []
    topics.ensure(settings)
    name = topics.name(INTERACTIONS, settings)
    with KafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for n in range(5):
            producer.send(name, b"%d" % n, partition=1)
        producer.flush()
    spot = TopicPartition(name, 1)
    assert lag(settings)[spot] == 5
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.alter_group_offsets(settings.group, {spot: OffsetAndMetadata(3, "", -1)})
    assert lag(settings)[spot] == 2
    assert sum(lag(settings).values()) == 2


def lag(settings: Settings) -> dict[TopicPartition, int]:
    return {TopicPartition(at.topic, at.partition): at.lag for at in offsets.progress(settings)}


def test_a_broker_that_is_away_is_named_within_the_time_given() -> None:
    away = Settings(kafka=f"127.0.0.1:{ports.quiet()}", wait_s=0.3)
    with pytest.raises(KafkaAway, match=r"no broker answers at 127\.0\.0\.1:\d+ within 0\.3 s"):
        topics.ensure(away)


@pytest.mark.parametrize("wrong", ["", "host", "host:port", "host:0", "a:1,,b:2", ":9092"])
def test_an_address_that_is_not_host_and_port_is_named(wrong: str) -> None:
    with pytest.raises(SettingsError, match="HEADWATER_KAFKA must be host:port"):
        servers(Settings(kafka=wrong))
