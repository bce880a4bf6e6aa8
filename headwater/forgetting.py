"""Has a person forgotten, and writes the receipt: what was removed, what remains, until when."""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from contracts import pipeline
from contracts.control import ROLLBACK
from contracts.settings import Settings
from contracts.topics import INTERACTIONS, PERSONAL
from headwater import orders

LOGS = [topic for topic in PERSONAL if topic.cleanup == "delete"]  # a tombstone cleans the others
NOT_SUBTRACTED = "older choices not looked for"
WEIGHTS = "the weights of the fusion, what followed an item, neighbours that were pushed out"
MODELS = "what predictors have learned of labels"
SEGMENTS = "choices in the sums of segments, which fade by the pipeline's baseline_s"


REBUILD = orders.draft(ROLLBACK, since="replay")


class Receipt(NamedTuple):
    """What became of a person; `removed` is by topic, `log` says when a topic has dropped all."""

    order: str
    person: str
    removed: dict[str, dict[str, int]]
    redis_keys: int
    remains: list[str]
    log: dict[str, str]

    @property
    def held(self) -> bool:
        """Whether anything was held about the person."""
        return self.redis_keys > 0 or any(any(c.values()) for c in self.removed.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return self._asdict()

    def lines(self) -> Iterator[str]:
        """Yield it as it is printed."""
        yield f"order {self.order}: forget {self.person} (in control and audit nobody has a name)"
        for topic, counts in self.removed.items():
            told = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "nothing"
            yield f"removed, {topic}: {told}"
        yield f"removed, Redis: {self.redis_keys} keys that bore the id when all had obeyed"
        for text in self.remains:
            yield f"remains: {text}"
        for topic, when in self.log.items():
            yield f"log: '{topic}' has dropped the last event {when}"


def forget(args: argparse.Namespace, settings: Settings) -> Receipt:
    """Give the order, wait until it is obeyed, and return the receipt.

    Raises:
        HeadwaterError: it could not be given, or was not obeyed in time.
    """
    from state.people import own_keys, take_away
    from streams.control import giving

    orders.check_key(settings)
    order = orders.send(args, settings, giving.farewell(settings, args.user, args.exact))
    found = [] if args.no_wait else list(orders.awaited(settings, order))
    removed = {entry.topic: entry.counts for entry in found}
    names = own_keys(settings, args.user)
    gone = orders.answered(settings, lambda client: take_away(client, names))
    anew = orders.send(args, settings, REBUILD).id if args.rebuild else ""
    remains = _remains(settings, removed, anew, args.exact)
    return Receipt(order.id, order.person, removed, gone, remains, _log(settings))


def _remains(
    settings: Settings, removed: dict[str, dict[str, int]], anew: str, exact: bool
) -> list[str]:
    until = f"until the rebuild is done: `headwater audit` then has order {anew}"
    found = [f"{WEIGHTS}: {until if anew else '--rebuild makes these anew from the log'}"]
    if removed.get(INTERACTIONS.name, {}).get(NOT_SUBTRACTED):
        found.append("choices from before the kept history, in sums: --exact subtracts them, too")
    if pipeline.read(settings.pipeline).segments.context and not (exact or anew):
        found.append(f"{SEGMENTS}: --exact subtracts them, too")
    if settings.predictors:
        found.append(f"{MODELS}: they have no sums to subtract from")
    return found


def _log(settings: Settings) -> dict[str, str]:
    from streams.kafka.retention import kept_s

    now = time.time()
    return {
        topic: "never: it has no retention" if kept is None else f"by {_utc(now + kept)}"
        for topic, kept in kept_s(settings, LOGS).items()
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
