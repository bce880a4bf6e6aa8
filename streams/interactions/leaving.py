"""Leaving: a person goes out of one partition, and takes along what can be taken back."""

from collections.abc import Sequence
from typing import Any

from contracts.control import LISTS, alias
from contracts.settings import Settings
from learners import seen
from learners.erased import Choice, erase, known_choices
from learners.recommender import Recommender
from learners.segments_erased import leave_segments
from learners.users import Users
from streams.interactions.actions import Actions
from streams.interactions.intake import Intake
from streams.interactions.publishing import Publishing
from streams.shards import Batch, Forgotten

Context = dict[str, Any] | None


class Leaving:
    """Lets people go; see `streams.shards.Forgetting`."""

    def __init__(
        self,
        shard: str,
        settings: Settings,
        model: Recommender,
        users: Users,
        intake: Intake,
        actions: Actions,
        publishing: Publishing,
    ) -> None:
        self._shard, self._key = shard, settings.snapshot_key
        self._model, self._users = model, users
        self._intake, self._actions, self._publishing = intake, actions, publishing

    def called(self, person: str) -> str:
        """Return the name of who has this alias; 1 µs for each user of the partition."""
        names = list(self._users.ids.names)
        return next((n for n in names if n and alias(self._key, n) == person), "")

    def asks_log(self, user: str) -> bool:
        """Tell whether the history is full, there may have been more, or knows no contexts."""
        slot = self._users.ids.find(user)
        if slot >= 0 and self._model.segments.known:
            return True
        return slot >= 0 and bool(self._users.rows.chosen[slot] == self._users.widths.history)

    def holds(self, user: str) -> dict[str, Any]:
        """Return all that is known of a user, empty for a stranger."""
        slot, names = self._users.ids.find(user), self._model.ids.names
        if slot < 0:
            return {}
        rows, listed = self._users.rows, int(self._users.rows.length[slot])
        return {
            "choices": [c._asdict() for c in known_choices(self._model, self._users, user)],
            "seen": [names[item] for item in self._seen(slot)],
            "judged list": [names[item] for item in rows.listed[slot, :listed].tolist()],
            "list made": float(rows.made[slot]),
            "version": int(rows.version[slot]),
            "event ids": self._intake.event_ids(user),
        }

    def _seen(self, slot: int) -> list[int]:
        told = seen.entries(self._users.pages, int(self._users.rows.page[slot]))
        found: list[int] = seen.slots(told).tolist()
        return found

    def forget(self, user: str, past: Sequence[Batch] | None, shared_too: bool) -> Forgotten:
        """Take a person out."""
        known = user in self._users.ids
        told = None if past is None else self._told(user, past)
        if told and shared_too and self._model.segments.known:
            leave_segments(self._model, *zip(*told, strict=True))
        older = None if told is None else self._older(user, [choice for choice, _ in told])
        erased = erase(self._model, self._users, user, older, shared_too)
        counts = {
            "people": int(known),
            "choices subtracted": erased.choices,
            "seen items": erased.seen,
            "pairs lowered": erased.pairs,
            "sessions": erased.sessions,
            "items nobody else chose": len(erased.gone),
            "event ids": self._intake.forget(user),
            "older choices not looked for": int(not erased.whole),
        }
        scenarios = self._model.pipeline.scenarios
        return Forgotten(
            counts, self._publishing.without(user, self._shard, scenarios, erased.dirty)
        )

    def _older(self, user: str, found: Sequence[Choice]) -> Sequence[Choice]:
        """Return the choices from before those that the history keeps."""
        kept = known_choices(self._model, self._users, user)
        same = [(c.item, c.ts) for c in kept]
        all_ = [(c.item, c.ts) for c in found]
        for at in range(len(found) - len(kept), -1, -1):
            if all_[at : at + len(kept)] == same:
                return found[:at]
        # Something in between was let go from the history since: what it has no longer is older.
        return [c for c in found if kept and c.ts < kept[0].ts and (c.item, c.ts) not in same]

    def _told(self, user: str, past: Sequence[Batch]) -> list[tuple[Choice, Context]]:
        """Return the choices that the log tells, each with its context."""
        records = [record for batch in past for record in batch.records]
        records.sort(key=lambda record: record.timestamp)  # stable: within one log as they came
        frozen = {id(r) for batch in past if LISTS in batch.frozen for r in batch.records}
        events = self._intake.events_of(user, records)
        weight, _ = self._actions([event.action for event in events])
        return [
            (
                Choice(event.item, event.ts, 0.0 if id(event.record) in frozen else float(w)),
                event.context,
            )
            for event, w in zip(events, weight, strict=True)
            if w > 0.0
        ]
