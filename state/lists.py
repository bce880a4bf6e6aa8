"""Lists as Redis commands: JSON values under their keys, each with an age."""

from collections.abc import Iterable
from hashlib import sha1

import hiredis
import msgspec

from contracts import keys
from state.render import Names, Ranked, entries

Command = bytes

# KEYS: a list. ARGV: its new version, and how each entry to be cut begins. Within a text quotes are
# escaped, so what stands between two entries stands nowhere else.
CUT = """
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local list = old
for n = 2, #ARGV do
  local from = string.find(list, ARGV[n], 1, true)
  local behind = from and string.find(list, '},{"item":', from, true)
  if behind then
    list = string.sub(list, 1, from - 1) .. string.sub(list, behind + 2)
  elseif from then
    local last = string.find(list, '}],"', from, true)
    if string.sub(list, from - 1, from - 1) == ',' then from = from - 1 end
    list = string.sub(list, 1, from - 1) .. string.sub(list, last + 1)
  end
end
if list == old then return 0 end
list = string.gsub(list, '%],"version":%d+,"ts":', '],"version":' .. ARGV[1] .. ',"ts":')
redis.call('SET', KEYS[1], list, 'KEEPTTL')
return 1
"""
CUT_NAME = sha1(CUT.encode(), usedforsecurity=False).hexdigest()


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

    def cut(
        self, users: Iterable[str], items: Iterable[Iterable[str]], version: int
    ) -> list[Command]:
        """Return the commands that take items out of users' lists, where they stand on them.

        Redis itself does it, list by list and key by key: a fifth of what ranking them anew takes.
        """
        scripts = [_command("SCRIPT", "LOAD", CUT)]
        rec, quote = keys.REC.at(self._prefix, user=""), msgspec.json.encode
        for user, names in zip(users, items, strict=True):
            entries_ = [b'{"item":%b,"score":' % quote(name) for name in names]
            key = rec + keys.escape(user)
            scripts.append(_command("EVALSHA", CUT_NAME, "1", key, str(version), *entries_))
        return scripts

    def no_list(self, user: str) -> Command:
        """Return the command that takes a user's list away."""
        return _delete(keys.REC.at(self._prefix, user=user))

    def none_similar(self, items: Iterable[str]) -> list[Command]:
        """Return the commands that take away what goes with items."""
        return [_delete(keys.SIM.at(self._prefix, item=name)) for name in items]

    def _bodies(self, ranked: Ranked) -> list[bytes]:
        return entries(self.names, ranked)

    def _set(self, key: str, value: bytes) -> Command:
        return _command("SET", key, value, "EX", self._age)


def _delete(key: str) -> Command:
    return _command("DEL", key)


def _command(*words: str | bytes) -> Command:
    command: Command = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub takes tuples of one only
    return command
