"""Lists as Redis commands: JSON values under their keys, each with an age."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from hashlib import sha1
from typing import NamedTuple

import hiredis
import msgspec

from contracts import keys
from state.misses import asked_for
from state.people import keys_of
from state.render import Names, Ranked, entries

Command = bytes

# KEYS: lists. ARGV: their new version, and how each entry to be cut begins. Within a text quotes
# are escaped, so what stands between two entries, or behind the last, stands nowhere else.
CUT = """
for _, key in ipairs(KEYS) do
  local old = redis.pcall('GET', key)
  if type(old) ~= 'string' then old = false end
  local list = old
  for n = 2, old and #ARGV or 0 do
    local from = string.find(list, ARGV[n], 1, true)
    local behind = from and string.find(list, '},{"item":', from, true)
    if behind then
      list = string.sub(list, 1, from - 1) .. string.sub(list, behind + 2)
    elseif from then
      local last = string.find(list, '}],"version":', from, true)
      if string.sub(list, from - 1, from - 1) == ',' then from = from - 1 end
      if last then list = string.sub(list, 1, from - 1) .. string.sub(list, last + 1) end
    end
  end
  if list ~= old then
    local version = string.find(list, '],"version":', 1, true)
    local ts = version and string.find(list, ',"ts":', version, true)
    if ts then list = string.sub(list, 1, version + 11) .. ARGV[1] .. string.sub(list, ts) end
    redis.call('SET', key, list, 'KEEPTTL')
  end
end
"""
CUT_NAME = sha1(CUT.encode(), usedforsecurity=False).hexdigest()


class Cut(NamedTuple):
    """Keys of lists, without prefix, and which items may stand on them that must not."""

    lists: Sequence[str]
    items: Sequence[str]


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

    def of_scenarios(
        self,
        ranked: Ranked,
        whose: Iterable[tuple[str, str]],
        version: int,
        ts: float,
        ages: Iterable[int],
    ) -> list[Command]:
        """Return one command per list of a user and a scenario; it leaves Redis at its own age."""
        quote, commands = msgspec.json.encode, list[Command]()
        end = b'"version":%d,"ts":%b}' % (version, quote(ts))
        for (user, scenario), body, age in zip(whose, self._bodies(ranked), ages, strict=True):
            before, behind, named = _around(self._prefix, scenario)
            value = b'{"user":%b,"scenario":%b,"items":%b,%b' % (quote(user), named, body, end)
            key = before + keys.escape(user) + behind
            commands.append(_command("SET", key, value, "EX", str(age)))
        return commands

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
        return self._trending(keys.TOP.at(self._prefix), self._bodies(ranked)[0], ts)

    def trending_of(self, ranked: Ranked, scenarios: Iterable[str], ts: float) -> list[Command]:
        """Return the commands that publish what is trending in each scenario."""
        return [
            self._trending(keys.TOP_OF.at(self._prefix, scenario=scenario), body, ts)
            for scenario, body in zip(scenarios, self._bodies(ranked), strict=True)
        ]

    def trending_in(self, ranked: Ranked, segment: str, ts: float) -> Command:
        """Return the command that publishes what strangers of a segment are shown."""
        key = keys.TOP_IN.at(self._prefix, segment=segment)
        return self._trending(key, self._bodies(ranked)[0], ts)

    def cutting(self) -> Command:
        """Return the command that tells Redis how to `cut`."""
        return _command("SCRIPT", "LOAD", CUT)

    def cut(self, cuts: Iterable[Cut], version: int) -> list[Command]:
        """Return the commands that take items out of lists, where they stand on them.

        Redis itself does it: a fifth of what ranking them anew takes.
        """
        told = str(version)
        return [
            _command(
                "EVALSHA", CUT_NAME, str(len(lists)), *(self._prefix + key for key in lists), told,
                *map(entry_begins, items),
            )
            for lists, items in cuts
        ]  # fmt: skip

    def nothing_of(
        self, user: str, shard: str, scenarios: Collection[str], predictors: Iterable[str] = ()
    ) -> list[Command]:
        """Return the commands that take away a user's lists, and what predictors answered.

        `shard` is where the lists of scenarios were asked for.
        """
        asked = [asked_for(user, scenario) for scenario in scenarios]
        name = keys.ASKED.at(self._prefix, shard=shard)
        forgotten = [_command("ZREM", name, *asked)] if asked else []
        return [_delete(*keys_of(self._prefix, user, scenarios, predictors)), *forgotten]

    def none_similar(self, items: Iterable[str]) -> list[Command]:
        """Return the commands that take away what goes with items."""
        return [_delete(keys.SIM.at(self._prefix, item=name)) for name in items]

    def _trending(self, key: str, body: bytes, ts: float) -> Command:
        return self._set(key, b'{"items":%b,"ts":%b}' % (body, msgspec.json.encode(ts)))

    def _bodies(self, ranked: Ranked) -> list[bytes]:
        return entries(self.names, ranked)

    def _set(self, key: str, value: bytes) -> Command:
        return _command("SET", key, value, "EX", self._age)


@lru_cache(maxsize=1_000)  # a few scenarios have a list of each user
def _around(prefix: str, scenario: str) -> tuple[str, str, bytes]:
    """Return what stands around a user in the key of a list, and the scenario's name as JSON."""
    before, _, behind = keys.REC_OF.at(prefix, user="\0", scenario=scenario).partition("\0")
    return before, behind, msgspec.json.encode(scenario)


@lru_cache(maxsize=10_000)  # a few items are looked for on very many lists
def entry_begins(item: str) -> bytes:
    """Return how an item's entry on a list begins."""
    return b'{"item":%b,"score":' % msgspec.json.encode(item)


def _delete(*names: str) -> Command:
    return _command("DEL", *names)


def _command(*words: str | bytes) -> Command:
    command: Command = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub takes tuples of one only
    return command
