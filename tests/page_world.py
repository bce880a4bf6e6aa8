"""A small running system for the page: metrics of a worker, a real Redis, the page's process."""

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, sync_playwright
from prometheus_client import CollectorRegistry

from contracts import keys, metrics
from headwater import shop_catalogue
from headwater.local import Supervised, local_redis, spawn
from headwater.local.ephemeral import Service
from streams.telemetry.http import Endpoint, Health
from streams.telemetry.metrics import Telemetry

MAIN = "import sys; from headwater.cli import main; sys.exit(main())"
TITLE = "a SIMULATED <b>shop</b>"
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


class World:
    """What the page looks at, and the address of the page."""

    def __init__(self, service: Service, endpoint: Endpoint, telemetry: Telemetry) -> None:
        self.redis, self.endpoint, self.telemetry = service, endpoint, telemetry
        self.client = redis.Redis.from_url(service.address)
        self.url = ""
        self._version = 0

    def learn(self, n: int, hits: float) -> None:
        """Let the worker learn `n` events with this hit rate."""
        tell = self.telemetry
        tell.count(metrics.EVENTS, n, topic="interactions", outcome="learned")
        tell.set(metrics.LAG, 42, topic="interactions", partition="0")
        tell.observe_many(metrics.FRESHNESS, [0.0021] * 60 + [0.0043] * 37 + [0.018] * 3)
        for model, value in (("lists", hits), ("popularity", hits / 4)):
            labels = {"measure": "hr_at_10", "model": model, "list": "fresh", "span": "window"}
            tell.set(metrics.QUALITY, value, **labels)

    def weigh(self, segment: str, **shares: float) -> None:
        """Let the fusion weigh its generators so in a segment."""
        for generator, share in shares.items():
            self.telemetry.set(metrics.WEIGHTS, share, generator=generator, segment=segment)

    def serve(
        self, group: str, hits: float, low: float, high: float, places: float, choices: float,
        short: str = "",
    ) -> None:  # fmt: skip
        """Let a group of items be served so; `short` is what it gets too little of."""
        tell, of = self.telemetry.set, {"grouping": "maker", "group": group}
        for bound, value in (("mean", hits), ("low", low), ("high", high)):
            tell(metrics.GROUP_HITS, value, bound=bound, **of)
        tell(metrics.GROUP_SHARE, places, of="places", **of)
        tell(metrics.GROUP_SHARE, choices, of="choices", **of)
        tell(metrics.GROUP_POPULARITY, 1.1, **of)
        for what in ("hits", "places"):
            tell(metrics.GROUP_SHORT, what == short, what=what, **of)

    def publish(self, user: str, *items: str, scenario: str = "") -> None:
        """Let a new list of a user stand in Redis."""
        self._version += 1
        entries = [
            {"item": item, "score": round(3.2 / place, 4), "because": "goes with item-7"}
            for place, item in enumerate(items, 1)
        ]
        value = {"user": user, "items": entries, "version": self._version, "ts": time.time()}
        key = keys.REC_OF.at("hw:", user=user, scenario=scenario) if scenario else ""
        self.client.set(key or keys.REC.at("hw:", user=user), json.dumps(value))

    def trend(self, *items: str) -> None:
        """Let these items trend."""
        entries = [{"item": item, "score": 90.0 / n} for n, item in enumerate(items, 1)]
        self.client.set(keys.TOP.at("hw:"), json.dumps({"items": entries, "ts": time.time()}))


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Run Redis, the metrics of a worker and the page; all have ended when the block is left."""
    telemetry = Telemetry(CollectorRegistry())
    endpoint = Endpoint(telemetry.registry, Health(), "127.0.0.1", 0)
    with local_redis(folder / "redis") as service, endpoint:
        found = World(service, endpoint, telemetry)
        log = folder / "page.log"
        args = [sys.executable, "-c", MAIN, "page", "--port", "0", "--metrics", endpoint.url]
        args.append(f"--title={TITLE}")
        given = {k: v for k, v in os.environ.items() if not k.startswith("HEADWATER_")}
        given |= {"HEADWATER_REDIS": service.address, "HEADWATER_HOME": str(folder / "home")}
        given |= {"HEADWATER_PIPELINE": shop_catalogue.NAME}
        with spawn(args, log, given) as process:
            found.url = _said(log, process)
            yield found
        found.client.close()


def _said(log: Path, process: Supervised) -> str:
    deadline = time.monotonic() + 60.0
    while process.alive and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("live page: "):
                return line.split()[2]
        time.sleep(0.1)
    pytest.fail(f"the page did not start: {log.read_text(encoding='utf-8')}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a real Chromium; skip where there is none, fail where CI should have installed it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not on PATH: .ci/run installs Debian's package")
        pytest.skip("chromium is not on PATH; Debian has it in the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGS))
        yield browser
        browser.close()


def get(url: str, host: str) -> tuple[int, str]:
    """Ask for the page under another name."""
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 - our own page
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
