"""Shows what is saved of each shard, and why a snapshot is refused."""

import asyncio
import json
import sys
import time
from typing import Any

from contracts.settings import Settings
from headwater.lists import plain
from headwater.tables import age, size, table
from state import pages
from state.manifest import Offsets
from state.opened import opened
from state.pages import Page

GOOD = "good"


def show(settings: Settings, as_json: bool) -> None:
    """Print all snapshots, those of one shard newest first."""
    found = asyncio.run(_read(settings))
    rows = [_as_dict(name, page) for name, of_name in found.items() for page in of_name]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    elif not rows:
        sys.stdout.write("nothing is saved yet\n")
    else:
        head = ("shard", "version", "age", "epoch", "size", "signature", "offsets")
        table(head, map(_cells, rows), right=(2, 3, 4))


async def _read(settings: Settings) -> dict[str, list[Page]]:
    async with opened(settings) as store:
        return {name: await store.pages(name) for name in await store.storage.names()}


def _as_dict(name: str, page: Page) -> dict[str, Any]:
    found = page.manifest
    if found is None:
        return {"shard": name, "signature": page.why}
    return {
        "shard": name,
        "version": found.version,
        "age_s": round(time.time() - found.created, 3),
        "epoch": found.epoch,
        "bytes": found.size,
        "signature": pages.unlike(name, found) or GOOD,
        "offsets": found.offsets,
        "headwater": found.headwater,
        "river": found.river,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    name = plain(row["shard"])
    if "version" not in row:
        return [name, "-", "-", "-", "-", row["signature"], "-"]
    return [
        name,
        row["version"],
        age(row["age_s"]),
        str(row["epoch"]),
        size(row["bytes"]),
        row["signature"],
        _said(row["offsets"]),
    ]


def _said(offsets: Offsets) -> str:
    return ", ".join(
        f"{topic} {'+'.join(f'{p}:{offset}' for p, offset in sorted(at.items()))}"
        for topic, at in offsets.items()
    )
