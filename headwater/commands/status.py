"""`headwater status`: what runs where, the topics, and how far the consumer group has come."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts import exits
from contracts.errors import KafkaAway, RedisAway
from contracts.settings import Settings, masked
from contracts.topics import TOPICS
from headwater.commands import COMMANDS

if TYPE_CHECKING:
    from headwater.commands import Subparsers

PATIENCE_S = 3.0  # who asks for the status wants to hear now that somebody does not answer


def add(subparsers: "Subparsers") -> None:
    """Add the parser of `status`."""
    about = (
        "Exit code 0 if Kafka and Redis both answer, 11 if Kafka does not, 12 if Redis does not. "
        "Lag is counted from committed offsets; a group that is new has all records before it."
    )
    parser = subparsers.add_parser("status", help=COMMANDS["status"][1], description=about)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the status and return 0, or the code of what is away."""
    kafka = _local(settings, "kafka") | _kafka(settings)
    redis = _local(settings, "redis") | _redis(settings)
    found = {"home": str(Path(settings.home).resolve()), "kafka": kafka, "redis": redis}
    print(json.dumps(found, indent=2) if args.json else "\n".join(_lines(kafka, redis)))
    if not kafka["answers"]:
        return exits.KAFKA_AWAY.code
    return exits.OK.code if redis["answers"] else exits.REDIS_AWAY.code


def _local(settings: Settings, name: str) -> dict[str, Any]:
    from headwater.local import record

    running = record.read(Path(settings.home)).get(name)
    used = getattr(settings, name)
    if running is None or running.address != used:
        return {"local": False}
    return {"local": True, "pid": running.pid, "started": running.started, "log": running.log}


def _kafka(settings: Settings) -> dict[str, Any]:
    from streams.kafka import offsets, topics

    found: dict[str, Any] = {"address": settings.kafka, "answers": True, "group": settings.group}
    try:
        differences = topics.check(settings, PATIENCE_S)
        progress = offsets.progress(settings, PATIENCE_S)
    except KafkaAway as error:
        return found | {"answers": False, "error": str(error)}
    missing = [d.topic for d in differences if not d.found]
    names = [topics.name(topic, settings) for topic in TOPICS]
    return found | {
        "topics": [name for name in names if name not in missing],
        "differences": [str(difference) for difference in differences],
        "lag": sum(at.lag for at in progress),
        "partitions": [at._asdict() | {"lag": at.lag} for at in progress],
    }


def _redis(settings: Settings) -> dict[str, Any]:
    from state.answers import Answers

    found = {"address": masked(settings.redis), "answers": True}
    try:
        with Answers(settings) as answers:
            answers.trending()
    except RedisAway as error:
        return found | {"answers": False, "error": str(error)}
    return found


def _lines(kafka: dict[str, Any], redis: dict[str, Any]) -> list[str]:
    lines = [_service("Kafka", kafka), _service("Redis", redis)]
    if not kafka["answers"]:
        return lines
    lines.append(f"Topics {len(kafka['topics'])} of {len(TOPICS)}")
    lines += [f"       {difference}" for difference in kafka["differences"]]
    lines.append(f"Lag    {kafka['lag']} of group {kafka['group']}")
    form = "       {:<22} {:>9} {:>10} {:>10} {:>10}"
    lines.append(form.format("topic", "partition", "committed", "end", "lag"))
    for at in kafka["partitions"]:
        committed = "-" if at["committed"] is None else at["committed"]
        lines.append(form.format(at["topic"], at["partition"], committed, at["end"], at["lag"]))
    return lines


def _service(title: str, service: dict[str, Any]) -> str:
    if not service["answers"]:
        return f"{title}  away: {service['error']}"
    local = f", local, pid {service['pid']}, since {service['started']}" if service["local"] else ""
    return f"{title}  answers at {service['address']}{local}"
