"""Lists as Redis commands: JSON values under their keys, each with an age."""

from collections.abc import Iterable

import hiredis
import msgspec

from contracts import keys
from state.render import Names, Ranked, entries

Command = bytes


class Lists:
    """Make the commands that publish lists; knows the ids of items by slot."""

    def __init__(self, prefix: str, age_s: int) -> None:
        self.names = Names()
        self._prefix = prefix
        self._age = str(age_s)

    def recommendations(
        self,
        ranked: Ranked,
        users: Iterable[str],
        versions: Iterable[int],
        times: Iterable[float],
    ) -> list[Command]:
        """Return one command per user's list."""
        rec, quote = keys.REC.at(self._prefix, user=""), msgspec.json.encode
        return [
            self._set(
                rec + keys.escape(user),
                b'{"user":%b,"items":%b,"version":%d,"ts":%b}'
                % (quote(user), body, version, quote(ts)),
            )
            for user, body, version, ts in zip(
                users, self._bodies(ranked), versions, times, strict=True
            )
        ]

    def similar(self, ranked: Ranked, names: Iterable[str], ts: float) -> list[Command]:
        """Return one command per item's list of similar items."""
        quote = msgspec.json.encode
        return [
            self._set(
                keys.SIM.at(self._prefix, item=name),
                b'{"item":%b,"items":%b,"ts":%b}' % (quote(name), body, quote(ts)),
            )
            for name, body in zip(names, self._bodies(ranked), strict=True)
        ]

    def trending(self, ranked: Ranked, ts: float) -> Command:
        """Return the command that publishes what is trending."""
        (body,) = self._bodies(ranked)
        value = b'{"items":%b,"ts":%b}' % (body, msgspec.json.encode(ts))
        return self._set(keys.TOP.at(self._prefix), value)

    def no_list(self, user: str) -> Command:
        """Return the command that takes a user's list away."""
        return _delete(keys.REC.at(self._prefix, user=user))

    def none_similar(self, items: Iterable[str]) -> list[Command]:
        """Return the commands that take away what goes with items."""
        return [_delete(keys.SIM.at(self._prefix, item=name)) for name in items]

    def _bodies(self, ranked: Ranked) -> list[bytes]:
        return entries(self.names, ranked)

    def _set(self, key: str, value: bytes) -> Command:
        command: Command = hiredis.pack_command(("SET", key, value, "EX", self._age))  # type: ignore[arg-type]  # its stub takes tuples of one only
        return command


def _delete(key: str) -> Command:
    command: Command = hiredis.pack_command(("DEL", key))  # type: ignore[arg-type]  # as above
    return command
