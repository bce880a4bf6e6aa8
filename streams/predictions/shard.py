"""One partition of `features` and `labels`: answer, judge, learn, message by message."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec

from contracts import metrics
from contracts.control import alias
from contracts.errors import StateRefused
from contracts.events import Features, Label
from contracts.settings import Settings
from contracts.topics import FEATURES, LABELS, PREDICTIONS
from learners.predictor import Answer, Predictor
from state.predictions import Predictions
from streams.dead_letters import dead_letter
from streams.decode import DeadMessage, EventDecoder, checked_id, checked_time
from streams.predictions.fuses import TRIED_EVERY, VERBS, Fuses, Verb
from streams.predictions.pending import Asked, Pending
from streams.shards import Batch, Effects, Forgotten, Message, Parts, Record, Send, Telemetry


class _Reference(msgspec.Struct, gc=False):
    predictor: str
    id: str | int


def named(partition: int) -> str:
    """Return what snapshots of a partition are called."""
    return f"predictors:{partition}"


class PredictorsShard:
    """The state of all predictors of one partition: a fold of two topics in the log's order.

    The features seen at prediction are kept and learned with the label; the answer given then is
    what is judged. `merged` asks the worker for the order of `streams.worker.merge`.
    """

    merged = True

    def __init__(
        self, partition: int, settings: Settings, telemetry: Telemetry, send: Send
    ) -> None:
        self.name = named(partition)
        self.predictors = {
            name: Predictor(name, path) for name, path in settings.predictors.items()
        }
        self.pending = {name: Pending(settings.pending_capacity) for name in self.predictors}
        self._fuses = Fuses(self.predictors)
        self._prefix, self._telemetry, self._send = settings.key_prefix, telemetry, send
        self._key = settings.snapshot_key
        limit = settings.max_message_bytes
        self._features = EventDecoder(Features, limit).decode
        self._labels = EventDecoder(Label, limit).decode
        self._reference = msgspec.json.Decoder(_Reference).decode

    def knows(self, record: Record) -> bool:
        """Return whether the features of a label are waiting for it."""
        try:
            label = self._reference(record.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return label.predictor in self.pending and str(label.id) in self.pending[label.predictor]

    def handle(self, batch: Batch) -> Effects:
        """Answer the features of a batch, or judge and learn its labels."""
        work = _Work(self._prefix, batch.frozen)
        step = self._answer if batch.topic == FEATURES.name else self._learn
        for record in self._not_void(batch):
            try:
                work.counts[step(record, work)] += 1
            except DeadMessage as error:
                work.reasons[error.dead.reason] += 1
                work.messages.append(dead_letter(record, batch.topic, batch.partition, error.dead))
        self._tell(batch.topic, work)
        commands = work.writes.commands()
        return Effects(work.messages, partial(self._send, commands) if commands else None)

    def called(self, person: str) -> str:
        """Return the id of waiting features that has this alias, empty if none has."""
        ids = (id_ for pending in self.pending.values() for id_ in pending.ids())
        return next((id_ for id_ in ids if alias(self._key, id_) == person), "")

    def asks_log(self, user: str) -> bool:  # noqa: ARG002 - nothing can be taken out of a model
        """Tell that the log is of no use."""
        return False

    def forget(
        self,
        user: str,
        past: Sequence[Batch] | None = None,  # noqa: ARG002 - as above
        shared_too: bool = True,  # noqa: ARG002 - nothing is shared
    ) -> Forgotten:
        """Let the waiting features of an id go; what was learned of its labels stays."""
        writes = Predictions(self._prefix)
        waiting = [name for name, pending in self.pending.items() if user in pending]
        for name in self.predictors:
            writes.forgotten(name, user)
        for name in waiting:
            self.pending[name].drop(user)
        publish = partial(self._send, writes.commands())
        return Forgotten({"pending features": len(waiting)}, publish)

    def _not_void(self, batch: Batch) -> Sequence[Record]:
        """Return the records but those of ids that were forgotten after they were sent."""
        until = [void.until.get(batch.topic, 0) for void in batch.void.values()]
        if not until or batch.records[0].offset >= max(until):
            return batch.records
        return [record for record in batch.records if not self._is_void(batch, record)]

    def _is_void(self, batch: Batch, record: Record) -> bool:
        try:
            id_ = str(self._reference(record.value or b"").id)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        void = batch.void.get(alias(self._key, id_))
        return void is not None and record.offset < void.until.get(batch.topic, 0)

    def _answer(self, record: Record, work: "_Work") -> str:
        asked = self._features(record.value)
        id_, predictor, ts = self._checked(asked, record)
        with self._fused(predictor.name, "predict_one"):
            given = predictor.answer(asked.x)
            body = _body(predictor, id_, given, ts)
            message = msgspec.json.encode(body)
        gone = self.pending[predictor.name].put(id_, Asked(asked.x, given, ts))
        for old in gone:
            work.writes.learned(predictor.name, old)
        work.evicted += len(gone)
        work.messages.append(Message(PREDICTIONS.name, id_.encode(), message))
        work.writes.answer({**body, "because": _because(predictor, given)})
        work.writes.pending({**body, "x": asked.x})
        return predictor.name

    def _learn(self, record: Record, work: "_Work") -> str:
        label = self._labels(record.value)
        id_, predictor, _ = self._checked(label, record)
        asked = self.pending[predictor.name].look(id_)
        if asked is None:
            raise DeadMessage("no_features", f"none of '{predictor.name}' wait for id {id_!r}")
        if predictor.name in work.frozen:
            with _mourning("judging"):
                _judge(predictor, asked.given, label.y)
        else:
            with self._fused(predictor.name, "learn_one"):
                predictor.learn(asked.x, label.y, asked.given)
        self.pending[predictor.name].drop(id_)
        work.writes.learned(predictor.name, id_)
        return predictor.name

    @contextmanager
    def _fused(self, name: str, verb: Verb) -> Iterator[None]:
        """Make a dead letter of whatever is raised inside, or of what is not to be tried.

        Features wait on: a label that is mended and sent again is learned with them.
        """
        if not self._fuses.lets(name, verb):
            detail = f"{verb} of '{name}' has raised too often; 1 message in {TRIED_EVERY} tries it"
            raise DeadMessage("predictor_out", detail)
        try:
            with _mourning(verb):
                yield
        except DeadMessage:
            self._fuses.raised(name, verb)
            raise
        self._fuses.worked(name, verb)

    def _checked(self, event: Features | Label, record: Record) -> tuple[str, Predictor, float]:
        id_ = checked_id(event.id, "id")
        ts = checked_time(event.ts, record.timestamp / 1000)
        predictor = self.predictors.get(event.predictor)
        if predictor is None:
            known = ", ".join(self.predictors) or "none"
            raise DeadMessage("unknown_predictor", f"{event.predictor!r}; settings name: {known}")
        return id_, predictor, ts

    def _tell(self, topic: str, work: "_Work") -> None:
        tell = self._telemetry
        outcome = "answered" if topic == FEATURES.name else "learned"
        tell.count(metrics.EVENTS, work.counts.total(), topic=topic, outcome=outcome)
        tell.count(metrics.EVENTS, work.reasons.total(), topic=topic, outcome="dead_letter")
        for reason, n in work.reasons.items():
            tell.count(metrics.DEAD_LETTERS, n, reason=reason)
        tell.count(metrics.EVICTIONS, work.evicted, kind="pending")
        tell.set(metrics.STATE_SIZE, sum(map(len, self.pending.values())), kind="pending")
        self._tell_fuses()
        for name, n in work.counts.items():
            if topic == LABELS.name:
                self._tell_accuracy(name)
            else:
                tell.count(metrics.PREDICTIONS, n, predictor=name)

    def _tell_fuses(self) -> None:
        for name in self.predictors:
            for verb in VERBS:
                out = self._fuses.blown(name, verb)
                self._telemetry.set(metrics.LEARNER_OUT, out, learner=name, verb=verb)

    def _tell_accuracy(self, name: str) -> None:
        found = self.predictors[name].score.figures()
        for span, key in (("total", "accuracy"), ("window", "accuracy_window")):
            if key in found:
                self._telemetry.set(metrics.ACCURACY, found[key], predictor=name, span=span)

    @property
    def learners(self) -> tuple[str, ...]:
        """The predictors that `clear` knows."""
        return tuple(self.predictors)

    def clear(self, learner: str) -> None:
        """Let a predictor begin anew; what waits for it is learned by the new one."""
        self._exchange(Predictor(learner, self.predictors[learner].path))

    def back(self, model: str, parts: Mapping[str, bytes]) -> None:
        """Let a predictor be the one in these parts; what waits for it is learned by that one."""
        if model not in self.predictors or f"model:{model}" not in parts:
            raise StateRefused(f"'{self.name}' has no predictor '{model}', now or then")
        earlier = Predictor(model, self.predictors[model].path)
        earlier.load(parts[f"model:{model}"])
        self._exchange(earlier)

    def _exchange(self, other: Predictor) -> None:
        """Have another estimator under a name; its answers are judged with those of the old."""
        other.score = self.predictors[other.name].score
        self.predictors[other.name] = other
        self._fuses.anew(other.name)
        self._tell_fuses()

    def dump(self) -> Parts:
        """Return the fuses, and per predictor its model with the score, and waiting features."""
        parts: Parts = {"fuses": self._fuses.dump()}
        for name, predictor in self.predictors.items():
            parts[f"model:{name}"] = predictor.dump()
            parts[f"pending:{name}"] = self.pending[name].dump()
        return parts

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Stand where `dump` was called; a predictor that was not there then begins now."""
        if "fuses" in parts:
            self._fuses.load(parts["fuses"])
            self._tell_fuses()
        for name, predictor in self.predictors.items():
            if f"model:{name}" in parts:
                predictor.load(parts[f"model:{name}"])
                self.pending[name].load(parts[f"pending:{name}"])


class _Work:
    """What one batch asks for and counts."""

    def __init__(self, prefix: str, frozen: frozenset[str]) -> None:
        self.writes = Predictions(prefix)
        self.frozen = frozen
        self.messages: list[Message] = []
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.evicted = 0


@contextmanager
def _mourning(what: str) -> Iterator[None]:
    """Make a dead letter of whatever is raised inside."""
    try:
        yield
    except Exception as error:
        raise DeadMessage("predictor_failed", f"{what}: {error!r:.500}") from error


def _judge(predictor: Predictor, given: Answer, y: Any) -> None:
    """Judge an answer, as learning does; nothing is learned."""
    if given.answer is not None:
        predictor.score.judge(given.answer, given.chances, y)


def _body(predictor: Predictor, id_: str, given: Answer, ts: float) -> dict[str, Any]:
    body = {"predictor": predictor.name, "id": id_, "answer": given.answer}
    if given.probability is not None:
        body["probability"] = given.probability
    return {**body, "version": given.version, "ts": ts}


def _because(predictor: Predictor, given: Answer) -> str:
    return f"{predictor.describes} after {given.version} labels"
