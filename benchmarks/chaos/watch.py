"""Watches the snapshots while things happen: an owner's offsets only rise, a past one writes none.

That is fencing as it shows from outside. A snapshot is told by the epoch in its signed page.
"""

import asyncio
import threading
from typing import NamedTuple

from contracts.settings import Settings
from state.connection import away, connect
from state.manifest import Manifest, covers
from state.redis_storage import RedisStorage
from state.snapshots import Snapshots

LOOK_S = 0.05


class Seen(NamedTuple):
    """What stood in Redis when it was looked at last."""

    epoch: int
    newest: Manifest | None


class Watch:
    """Looks at the snapshots of all partitions until stopped; `wrong` is what must not be."""

    def __init__(self, settings: Settings) -> None:
        self.wrong: list[str] = []
        self.snapshots = 0
        self._settings = settings
        self._seen: dict[str, Seen] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Redis has lost its last second: what was seen counts no more. Call while it is away."""
        with self._lock:
            self._seen.clear()

    def stop(self) -> None:
        """Look no longer."""
        self._over.set()
        self._thread.join()

    async def _run(self) -> None:
        client = connect(self._settings)
        storage = RedisStorage(client, self._settings.key_prefix)
        store = Snapshots(storage, self._settings.snapshot_key, self._settings.snapshots_kept)
        names = [str(partition) for partition in range(self._settings.partitions)]
        while not self._over.is_set():
            with self._lock:
                try:
                    await self._look(store, names)
                except away():
                    pass
            await asyncio.sleep(LOOK_S)
        await client.aclose()

    async def _look(self, store: Snapshots, names: list[str]) -> None:
        # Epochs first: whatever page comes after this look was written in one of them or later.
        epochs = await store.storage.epochs(names)
        for name, epoch in zip(names, epochs, strict=True):
            pages = await store.all(name)
            self._note(name, Seen(epoch, pages[0] if pages else None))

    def _note(self, name: str, now: Seen) -> None:
        before = self._seen.get(name, Seen(0, None))
        if now.newest is not None and now.newest != before.newest:
            self.snapshots += 1
            self.wrong += [f"snapshot of '{name}' {why}" for why in wrong(before, now.newest)]
        self._seen[name] = now


def wrong(before: Seen, new: Manifest) -> list[str]:
    """Return what is wrong with a snapshot that came after these."""
    said, old = [], before.newest
    if new.epoch < before.epoch:
        said.append(f"was written in epoch {new.epoch} although {before.epoch} had begun")
    if old is not None and new.epoch == old.epoch and not covers(new.offsets, old.offsets):
        said.append(f"went back from {old.offsets} to {new.offsets} in epoch {new.epoch}")
    return said
