"""The same learners in a plain Faust agent: an event learned, a list ranked, a SET with redis-py.

It judges and ranks by the worker's own kernels, one event per call. It does not check who owns a
user, knows no producer retries, writes no similar items and saves no state: all in its favour.
"""

import json
import os
import sys
from typing import Any

from benchmarks.meter import Meter
from benchmarks.peers.plain_faust import application, run
from contracts import keys
from contracts.settings import Settings, read
from learners.batches import Events
from learners.given import Lists
from state.render import REASONS
from streams.interactions.unit import recommender


class Learner:
    """The recommender, asked one event at a time."""

    def __init__(self, settings: Settings) -> None:
        self._model = recommender(settings)
        self._users = self._model.open()
        self._length = settings.list_length
        self._version = 0

    def learn(self, event: dict[str, Any]) -> dict[str, Any]:
        """Learn one event; return the answer that its user gets."""
        self._version += 1
        events = Events.choices(
            [event["user"]],
            [event["item"]],
            [event["ts"]],
            fresh=False,
            first_version=self._version,
        )
        lists = self._model.learn(self._users, events).lists
        return {
            "user": event["user"],
            "items": self._items(lists),
            "version": self._version,
            "ts": event["ts"],
        }

    def _items(self, lists: Lists) -> list[dict[str, Any]]:
        names = self._model.ids.names
        length = min(int(lists.length[0]), self._length)
        columns = (
            column[0, :length].tolist()
            for column in (lists.item, lists.score, lists.why, lists.via)
        )
        return [
            {"item": names[item], "score": score, "because": self._because(why, own)}
            for item, score, why, own in zip(*columns, strict=True)
        ]

    def _because(self, why: int, own: int) -> str:
        before, after = REASONS[why]
        return before + self._model.ids.names[own] + after if after else before


def main(settings: Settings, wanted: int) -> None:
    """Learn so many events from the beginning, then tell the rate."""
    from redis.asyncio import Redis

    app, topic = application(settings, "plain-faust-learning")
    meter, learner = Meter(wanted), Learner(settings)
    learner.learn({"user": "warm", "item": "warm", "ts": 1e9})  # loads the compiled kernels
    learner = Learner(settings)
    redis = Redis.from_url(settings.redis)

    async def interactions(events: Any) -> None:
        async for event in events:
            answer = learner.learn(event)
            key = keys.REC.at(settings.key_prefix, user=event["user"])
            await redis.set(key, json.dumps(answer), ex=settings.list_age_s)
            if meter.add(1):
                meter.tell()
                return

    app.agent(topic, name="interactions")(interactions)
    run(app)


if __name__ == "__main__":
    main(read(os.environ), int(sys.argv[1]))
