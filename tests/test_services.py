"""The fixtures themselves: the services are real and a test's names are its own."""

import redis
from kafka import KafkaAdminClient

from contracts.settings import Settings


def test_the_broker_of_the_fixtures_creates_a_topic(settings: Settings) -> None:
    with KafkaAdminClient(bootstrap_servers=settings.kafka) as admin:
        admin.create_topics({settings.topic_prefix + "x": {}}, wait_for_metadata=True)
        assert settings.topic_prefix + "x" in admin.list_topics()


def test_the_redis_of_the_fixtures_keeps_a_value(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis) as client:
        client.set(settings.key_prefix + "x", "1", ex=60)
        assert client.get(settings.key_prefix + "x") == b"1"
