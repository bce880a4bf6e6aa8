"""Redis cuts what is hidden out of lists: where it stands, and nothing else."""

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest
import redis

from contracts.keys import REC
from contracts.settings import Settings
from state.connection import Pipe, connect
from state.lists import Cut, Lists
from state.render import Ranked

NAMES = ['tea", "x', "jam}],", 'é},{"item":"tea', "oat", "100%:", "{"]
USER = 'ann","version":7,"ts":'


def written(settings: Settings, cut: list[str], version: int = 9) -> tuple[Any, Any, int]:
    """Publish a list of all names, cut it, and return both values and the age that is left."""
    lists, n = Lists(settings.key_prefix, 1_000), len(NAMES)
    lists.names.put(range(n), NAMES)
    why, via = np.full((1, n), 2, np.int32), np.arange(n, dtype=np.int32)[None, ::-1].copy()
    items = np.arange(n, dtype=np.int32)[None]
    ranked = Ranked(items, np.linspace(1, 0, n)[None], np.array([n]), why, via)
    key = REC.at(settings.key_prefix, user=USER)

    async def send(commands: list[bytes]) -> None:
        client = connect(settings)
        pipe = Pipe(client)
        await pipe.send(commands)
        await pipe.close()
        await client.aclose()

    with redis.Redis.from_url(settings.redis) as client:
        asyncio.run(send(lists.recommendations(ranked, [USER], [5], [1.5])))
        client.expire(key, 500)
        before: Any = msgspec.json.decode(client.get(key))
        cuts = [Cut(["rec:nobody", REC.at("", user=USER)], cut)]
        asyncio.run(send([lists.cutting(), *lists.cut(cuts, version)]))
        return before, msgspec.json.decode(client.get(key)), client.ttl(key)


@pytest.mark.parametrize(
    "cut", [[name] for name in NAMES] + [NAMES, NAMES[:2], NAMES[3:], [NAMES[0], NAMES[-1]]]
)
def test_what_is_cut_is_gone_and_all_else_is_as_it_was(settings: Settings, cut: list[str]) -> None:
    before, after, age = written(settings, cut)
    wanted = [entry for entry in before["items"] if entry["item"] not in cut]
    assert after == {**before, "items": wanted, "version": 9}
    assert 0 < age <= 500


def test_a_list_without_it_is_not_touched(settings: Settings) -> None:
    before, after, _ = written(settings, ["something else", "te", ""])
    assert after == before
