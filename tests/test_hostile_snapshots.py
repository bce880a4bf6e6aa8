"""Whatever stands in Redis or in a file: only what our key has signed is ever believed.

`HEADWATER_HOSTILE=1000000` tries more of it than `make test` does.
"""

import asyncio
import io
import logging
import os
import pickle
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import msgspec
import pytest

from contracts.errors import InputError
from state import archive, manifest, pages
from state.manifest import Chunk, Log, Manifest
from state.memory import MemoryStorage
from state.snapshots import Draft, Snapshots
from state.storage import Guard

INPUTS = int(os.environ.get("HEADWATER_HOSTILE", "60000")) // 3
KEY = "a key for tests only"
LOG = Log("cluster", {"interactions": "an-id"}, {"interactions": 1})
NAMES = ("0", "shared")
ODD: list[Any] = [None, True, -1, 2**63, 1.5, "", b"", [], {}, [b""], [[b"x"]], ["x"], {"a": [1]}]
LENGTHS = [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x03\xff\xff\xff", b"\xdd\x7f\xff\xff\xff"]


class Bomb:
    """Ends the test when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return explode, ("unpickled",)


def explode(*_: object) -> NoReturn:
    raise SystemExit("something unsigned was unpickled")


class Mutator:
    """Damages bytes in every way that has been thought of; the same seed does the same."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - it shall be foreseeable
        self._bomb = pickle.dumps(Bomb())
        self._ways: list[Callable[[bytes], bytes]] = [
            self._flip,
            lambda data: data[: self._at(data)],
            lambda data: data[self._at(data) :],
            lambda data: data[: (at := self._at(data))] + self.dice.randbytes(9) + data[at:],
            lambda data: (
                data[: (at := self._at(data))] + self.dice.choice(LENGTHS) + data[at + 4 :]
            ),
            lambda data: data[self._at(data) :] + data[: self._at(data)],
            lambda data: data * 2,
            lambda _: self._bomb,
            lambda data: data[: manifest.SIGNATURE_BYTES] + self._bomb,
            lambda _: msgspec.msgpack.encode(self.dice.choice(ODD)),
            lambda _: msgspec.msgpack.encode([self.dice.randbytes(40), self._bomb]),
            lambda _: self.dice.randbytes(self.dice.randrange(200)),
        ]

    def damaged(self, data: bytes) -> bytes:
        """Return something else, mostly."""
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            data = self.dice.choice(self._ways)(data)
        return data

    def _flip(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.dice.randrange(1, 4)):
            if changed:
                changed[self.dice.randrange(len(changed))] ^= 1 << self.dice.randrange(8)
        return bytes(changed)

    def _at(self, data: bytes) -> int:
        return self.dice.randrange(len(data) + 1)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


async def saved() -> tuple[Snapshots, dict[str, Manifest]]:
    """Return snapshots of two names, of which one part is a pickle that explodes."""
    store = Snapshots(MemoryStorage(), KEY, 2)
    for name in NAMES:
        for offset in (3, 4):
            parts = {
                "watcher": pickle.dumps(Bomb()),
                "users": b"%d of %s" % (offset, name.encode()),
            }
            epoch = None if name == "shared" else 0
            draft = Draft(parts, {"interactions": {0: offset}}, LOG, epoch, created=offset)
            await store.save(name, draft)
    return store, {name: (await store.all(name))[0] for name in NAMES}


def test_a_damaged_pointer_gives_nothing_that_was_not_signed() -> None:
    async def work() -> Counter[str]:
        (store, _), mutator, seen = await saved(), Mutator(1), Counter[str]()
        good, _ = await store.storage.pointer("0")
        signed = {p.stored for p in pages.unpack(KEY, "0", good)}
        for _ in range(INPUTS):
            await store.storage.move("0", mutator.damaged(good), Guard())
            for page in await store.pages("0"):
                seen["good" if page.manifest is not None else page.why[:20]] += 1
                assert page.manifest is None or page.stored in signed
            await store.all("0")
        return seen

    seen = asyncio.run(work())
    assert seen["good"] > INPUTS / 50
    assert seen["its signature is mis"] > INPUTS / 5


def test_a_damaged_piece_is_never_given_out() -> None:
    async def work() -> None:
        (store, newest), mutator = await saved(), Mutator(2)
        whole = await store.load("0", newest["0"])
        chunks = sorted(newest["0"].chunks())
        for _ in range(INPUTS):
            chunk = mutator.dice.choice(chunks)
            good = (await store.storage.get("0", [chunk]))[0]
            assert good is not None
            bad = mutator.damaged(good)
            await store.storage.put("0", [Chunk(chunk, memoryview(bad))], 60)
            assert await store.load("0", newest["0"]) == (whole if bad == good else None)
            await store.storage.put("0", [Chunk(chunk, memoryview(good))], 60)

    asyncio.run(work())


def test_a_damaged_file_is_refused_in_one_line() -> None:
    async def export() -> tuple[bytes, dict[str, Manifest]]:
        (store, newest), out = await saved(), io.BytesIO()
        await archive.write(store, newest, KEY, out)
        return out.getvalue(), newest

    good, newest = asyncio.run(export())
    mutator, refused, longest = Mutator(3), Counter[str](), 0
    for _ in range(INPUTS):
        try:
            assert archive.check(io.BytesIO(mutator.damaged(good)), KEY) == newest
        except InputError as error:
            refused[str(error)[:16]] += 1
            longest = max(longest, len(str(error)))
    assert longest < 400
    assert len(refused) >= 5
    assert refused.total() > INPUTS * 0.9


def test_signed_pages_of_any_shape_are_read_or_refused_in_words() -> None:
    for odd in (*ODD, {"log": 1}, {"parts": {"a": "b"}}, "\ud800"):
        try:
            body = msgspec.json.encode(odd)
        except (msgspec.MsgspecError, UnicodeEncodeError, TypeError):
            body = b"\xff\xfe"
        signature = manifest._signature(KEY, "0", body)
        assert isinstance(manifest.read(KEY, "0", signature + body), str)
