"""Plain Faust, as its documentation shows it: one agent, JSON decoded, one event at a time."""

import os
import sys
from typing import Any

from benchmarks.meter import Meter
from contracts.settings import Settings, read
from contracts.topics import INTERACTIONS


def application(settings: Settings, name: str) -> tuple[Any, Any]:
    """Return a Faust app with its defaults, and the topic of interactions as JSON."""
    import faust

    app = faust.App(
        settings.group,
        broker=f"kafka://{settings.kafka}",
        datadir=os.path.join(os.environ.get("TMPDIR", "/tmp"), name),  # noqa: PTH118, S108
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        value_serializer="json",
    )
    return app, app.topic(settings.topic_prefix + INTERACTIONS.name)


def main(settings: Settings, wanted: int) -> None:
    """Read so many events from the beginning, then tell the rate."""
    app, topic = application(settings, "plain-faust")
    meter = Meter(wanted)

    async def interactions(events: Any) -> None:
        async for _ in events:
            if meter.add(1):
                meter.tell()
                return

    app.agent(topic, name="interactions")(interactions)
    run(app)


def run(app: Any) -> None:
    """Run the app's worker until it is stopped."""
    from faust import Worker

    Worker(app, loglevel="WARN", override_logging=True).execute_from_commandline()


if __name__ == "__main__":
    main(read(os.environ), int(sys.argv[1]))
