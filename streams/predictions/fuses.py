"""Fuses: what has raised a hundred times in a row is called no longer, but tried now and then."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Verb = Literal["predict_one", "learn_one"]
VERBS: tuple[Verb, ...] = ("predict_one", "learn_one")
BLOWS_AFTER = 100  # messages in a row
TRIED_EVERY = 10  # messages: so many are lost at most to a predictor that is well again


class Fuses:
    """One fuse per predictor and verb; a part of the folded state.

    Only the messages decide, so a replay decides the same. Each verb has a fuse of its own: what
    cannot learn any longer goes on answering as it stands.

    >>> fuses = Fuses(["elec"])
    >>> for _ in range(100):
    ...     fuses.raised("elec", "learn_one")
    >>> fuses.blown("elec", "learn_one"), fuses.blown("elec", "predict_one")
    (True, False)
    >>> [fuses.lets("elec", "learn_one") for _ in range(10)].index(True)
    9
    >>> fuses.worked("elec", "learn_one")
    >>> fuses.blown("elec", "learn_one")
    False
    """

    def __init__(self, names: Iterable[str]) -> None:
        # Messages since it last worked: those on which it raised, later those it was spared, too.
        self._row = {name: dict.fromkeys(VERBS, 0) for name in names}

    def blown(self, name: str, verb: Verb) -> bool:
        """Return whether it is out of the pipeline."""
        return self._row[name][verb] >= BLOWS_AFTER

    def lets(self, name: str, verb: Verb) -> bool:
        """Return whether to call it for a message; one that it is spared is counted."""
        if not self.blown(name, verb) or self._row[name][verb] % TRIED_EVERY == TRIED_EVERY - 1:
            return True
        self._row[name][verb] += 1
        return False

    def raised(self, name: str, verb: Verb) -> None:
        """Count a call that raised."""
        self._row[name][verb] += 1

    def worked(self, name: str, verb: Verb) -> None:
        """Know that it is well."""
        self._row[name][verb] = 0

    def anew(self, name: str) -> None:
        """Know that it is another one now."""
        self._row[name] = dict.fromkeys(VERBS, 0)

    def dump(self) -> bytes:
        """Return the state, as MessagePack."""
        return msgspec.msgpack.encode(self._row)

    def load(self, data: bytes) -> None:
        """Stand where `dump` was called; what was not there then begins now."""
        found = msgspec.msgpack.decode(data, type=dict[str, dict[Verb, int]])
        self._row |= {name: row for name, row in found.items() if name in self._row}
