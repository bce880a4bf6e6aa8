"""Runs the page: one poller for all visitors, bound to this machine only."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence

from contracts.settings import Settings
from serving.live import Live, Snapshot
from serving.page.view import EVERY_S, View

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
NAMES = [HOST, "localhost"]  # a page elsewhere cannot read this one under a name of its own


def serve(
    settings: Settings,
    port: int,
    urls: Sequence[str] = (),
    ready: Callable[[], None] = print,
    title: str = "",
) -> None:
    """Serve the page at `port` of 127.0.0.1 until the process is told to end.

    `urls` are those of the workers' /metrics, by default the one in the settings; `ready` is
    called when the page answers; `title` says under the heading what the data are.
    """
    from nicegui import app, ui
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    # NiceGUI wants a port from its own test fixtures where a test is named here, even if that
    # test merely started the process above this one.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    live = Live(settings, urls)
    _ = live.scenarios  # what is wrong with the pipeline is said now, and not to a visitor
    poller = Poller(live)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=NAMES)
    app.on_startup(poller.start)
    app.on_startup(ready)
    app.on_shutdown(poller.stop)
    try:
        ui.run(
            lambda: View(live, poller.latest, title) and None,
            host=HOST,
            port=port,
            title="Headwater",
            favicon="🌊",
            reload=False,
            show=False,
            show_welcome_message=False,
        )
    finally:
        live.close()


class Poller:
    """Polls once a second in a thread, whoever looks; the event loop never waits for it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._snapshot: Snapshot | None = None
        self._task: asyncio.Task[None] | None = None

    def latest(self) -> Snapshot | None:
        """Return the newest snapshot, None before the first."""
        return self._snapshot

    async def start(self) -> None:
        """Begin to poll."""
        self._task = asyncio.create_task(self._poll(), name="poll")

    async def stop(self) -> None:
        """Poll no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            try:
                self._snapshot = await asyncio.to_thread(self._live.poll)
            except Exception:  # a page that stands still must not say that all is well
                LOG.exception("the page could not read metrics or Redis; it tries again")
            await asyncio.sleep(EVERY_S)
