"""A real Kafka and Redis as child processes, for a laptop, the demo and the tests."""

from headwater.local.ephemeral import Service, Services, local_kafka, local_redis, services
from headwater.local.processes import Supervised, spawn

__all__ = [
    "Service",
    "Services",
    "Supervised",
    "local_kafka",
    "local_redis",
    "services",
    "spawn",
]
