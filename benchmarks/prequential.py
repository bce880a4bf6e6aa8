"""Prequential: our ranker asked before each event, then taught it, from a cold start."""

import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from benchmarks.cases import HOUR, Stream
from benchmarks.ours import Ranker
from benchmarks.tally import LENGTH, Tally


class Live(NamedTuple):
    """Ours: lists made at the moment, at the user's last event, and at each full hour as well."""

    fresh: Tally
    stored: Tally
    swept: Tally
    seconds: float  # judging fresh and learning


def live(stream: Stream, ranker: Ranker) -> Live:
    """Judge ours by lists of three ages; a stranger's is always made at the moment."""
    found = Live(Tally(), Tally(), Tally(), 0.0)
    stored: dict[str, Sequence[Hashable]] = {}
    swept: dict[str, Sequence[Hashable]] = {}
    hours, spent = stream.hour(), 0.0
    due = _due(stream)
    for k, row in enumerate(stream.rows):
        if k == 0 or hours[k] != hours[k - 1]:
            at = {"ts": float(hours[k]) * HOUR}
            waiting = [user for user in due[int(hours[k])] if user in stored]
            swept |= {user: ranker.candidates(user, LENGTH, at) for user in waiting}
        user, item, before = row["user"], row["item"], int(stream.before[k])
        start = time.perf_counter()
        now = {"ts": row["ts"]}
        fresh = ranker.candidates(user, LENGTH, now)
        ranker.learn_one(user, item, x=now)
        spent += time.perf_counter() - start
        found.fresh.add(item, fresh, before)
        found.stored.add(item, stored.get(user, fresh), before)
        found.swept.add(item, swept.get(user, fresh), before)
        stored[user] = swept[user] = ranker.candidates(user, LENGTH, now)
    return found._replace(seconds=spent)


def _due(stream: Stream) -> dict[int, list[str]]:
    """Return whose lists are judged in each hour; a sweep needs no others."""
    due: dict[int, dict[str, None]] = defaultdict(dict)
    for hour, row in zip(stream.hour().tolist(), stream.rows, strict=True):
        due[hour][row["user"]] = None
    return {hour: list(users) for hour, users in due.items()}


def delayed(stream: Stream, ranker: Ranker, delay_s: float) -> Tally:
    """Judge ours by a model that has learned only the events at least `delay_s` old."""
    tally, learned = Tally(), 0
    for k, row in enumerate(stream.rows):
        while learned < k and stream.ts[learned] <= row["ts"] - delay_s:
            known = stream.rows[learned]
            ranker.learn_one(known["user"], known["item"], x={"ts": known["ts"]})
            learned += 1
        made = ranker.candidates(row["user"], LENGTH, {"ts": row["ts"]})
        tally.add(row["item"], made, int(stream.before[k]))
    return tally
