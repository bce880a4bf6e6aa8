"""Answers of predictors and features that wait, as Redis commands; each key has an age."""

from typing import Any

import msgspec

from contracts import keys

Command = bytes


class Predictions:
    r"""The latest command per key of one batch.

    >>> writes = Predictions("hw:")
    >>> writes.pending({"predictor": "elec", "id": "1", "x": {"price": 1.0}})
    >>> writes.learned("elec", "1")
    >>> writes.commands()
    [b'*2\r\n$3\r\nDEL\r\n$17\r\nhw:pending:elec:1\r\n']
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._values: dict[str, tuple[bytes, int] | None] = {}

    def answer(self, body: dict[str, Any]) -> None:
        """Publish an answer; `body` is the value that contracts.keys.PRED describes."""
        self._put(keys.PRED, body)

    def pending(self, body: dict[str, Any]) -> None:
        """Show features that wait for their label; `body` names predictor and id."""
        self._put(keys.PENDING, body)

    def learned(self, predictor: str, id_: str) -> None:
        """Show features no longer."""
        self._values[keys.PENDING.at(self._prefix, predictor=predictor, id=id_)] = None

    def forgotten(self, predictor: str, id_: str) -> None:
        """Show neither features nor the answer any longer."""
        self.learned(predictor, id_)
        self._values[keys.PRED.at(self._prefix, predictor=predictor, id=id_)] = None

    def commands(self) -> list[Command]:
        """Return what makes Redis stand where this batch ends."""
        return [_command(key, entry) for key, entry in self._values.items()]

    def _put(self, key: keys.Key, body: dict[str, Any]) -> None:
        at = key.at(self._prefix, predictor=body["predictor"], id=body["id"])
        self._values[at] = msgspec.json.encode(body), key.age_s


def _command(key: str, entry: tuple[bytes, int] | None) -> Command:
    import hiredis

    words = ("DEL", key) if entry is None else ("SET", key, entry[0], "EX", str(entry[1]))
    packed: Command = hiredis.pack_command(words)  # type: ignore[arg-type]  # of any number
    return packed
