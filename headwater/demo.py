"""The demo: a real Kafka and Redis, a worker, a page and a stream, from nothing to a summary.

Everything runs as a child that ends with this process, also when it is killed; the state lies
in a folder of its own and goes with it.
"""

import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import msgspec

from contracts import metrics
from contracts.errors import ServiceFailed
from contracts.settings import PREFIX, Settings
from headwater import demo_summary
from headwater.demo_stream import SEED, Producing, Stream, stream
from headwater.local import Service, Supervised, ports, services, spawn
from headwater.shop_catalogue import NAME as SHOP
from headwater.shop_catalogue import Selling
from headwater.shop_guests import Guests

if TYPE_CHECKING:
    from serving.live import Live, Snapshot

START_S = 120.0  # a first start compiles kernels
DRAIN_S = 60.0


class Plan(NamedTuple):
    """What a user wants to see: for how long, of which data, at which rate, and what to write."""

    seconds: float | None = None
    data: str | None = None
    rate: float | None = None
    summary: Path = Path("demo-summary.json")


def run(plan: Plan, settings: Settings) -> None:
    """Run the demo until its time is over or Ctrl-C, then print and write the summary.

    Raises:
        HeadwaterError: something did not start or ended too early; its log stays and is named.
    """
    chosen = stream(plan.data, plan.rate, plan.seconds)
    with _terminable(), _folder(Path(settings.home)) as folder, ExitStack() as stack:
        about = f"{chosen.title}; no real people" if plan.data is None else chosen.title
        system = System(folder, settings, stack, about, shop=plan.data is None)
        _show(plan, chosen, system)


class System:
    """All that runs in a demo. Made step by step, each with a line that says what happens."""

    def __init__(
        self, folder: Path, settings: Settings, stack: ExitStack, about: str, shop: bool
    ) -> None:
        self._folder, self._stack = folder, stack
        self.children: dict[str, Supervised] = {}
        self._selling: Selling | None = None
        _say("Starting a real Kafka and Redis (Kafka, 45 MB, is fetched once) ...")
        warm = self._warm()
        running = stack.enter_context(services(folder))
        self._services: Mapping[str, Service] = {"kafka": running.kafka, "redis": running.redis}
        self.settings = _own(settings, folder, running.kafka_address, running.redis_url, shop)
        _say(f"Kafka at {running.kafka_address}, Redis at {running.redis_url}")
        self._topics()
        if warm.alive:
            _say("Compiling or loading the learners' kernels ...")
        self._must_succeed(warm, "the first learning")
        self._start("worker")
        self._start("page", f"--title={about}")
        self.live = self._live()
        _say(f"Starting the worker, metrics at {self.live.urls[0]}, and the page ...")
        self._until_answers("worker", self.live.urls[0].replace("/metrics", "/readyz"))
        self.page = f"http://127.0.0.1:{self.settings.page_port}"
        self._until_answers("page", self.page)

    def sell(self, guests: Guests, sent: Callable[[], int]) -> None:
        """Say what the simulated shop has, and from now on what comes, goes and who was a guest."""
        self._selling = Selling(SEED, self.settings, guests, sent)
        self._selling.start()
        self._stack.callback(self._selling.stop)

    def check(self) -> None:
        """Raise if something that should run has ended.

        Raises:
            ServiceFailed: with what it said last.
            HeadwaterError: what the shop could not say.
        """
        if self._selling is not None and self._selling.error is not None:
            raise self._selling.error
        for name, child in self.children.items():
            if not child.alive:
                self._ended(name, child)
        for name, service in self._services.items():
            if not service.process.alive:
                self._ended(name, service.process)

    def _warm(self) -> Supervised:
        """Compile the kernels while Kafka starts; the worker finds them in numba's cache."""
        return self._spawn("warm", "-c", "from streams.interactions.warm import warm; warm()")

    def _topics(self) -> None:
        from streams.kafka import topics

        for difference in topics.ensure(self.settings):
            raise ServiceFailed(f"the demo's own Kafka has other topics: {difference}")

    def _start(self, name: str, *args: str) -> None:
        self.children[name] = self._spawn(name, "-m", "headwater", name, *args)

    def _spawn(self, name: str, *args: str) -> Supervised:
        environ = dict(os.environ)
        if hasattr(self, "settings"):
            environ |= _environ(self.settings)
        command = [sys.executable, *args]
        child = spawn(command, self._folder / f"{name}.log", environ)
        return self._stack.enter_context(child)

    def _live(self) -> "Live":
        from serving.live import Live

        live = Live(self.settings)
        self._stack.callback(live.close)
        return live

    def _until_answers(self, name: str, url: str) -> None:
        from serving.scrape import answers

        deadline = time.monotonic() + START_S
        while not answers(url):
            self.check()
            if time.monotonic() > deadline:
                log = self.children[name].log
                raise ServiceFailed(f"the {name} was not ready in {START_S:.0f} s; read {log}")
            time.sleep(0.1)

    def _must_succeed(self, child: Supervised, name: str) -> None:
        if child.wait(START_S) != 0:
            self._ended(name, child)

    def _ended(self, name: str, child: Supervised) -> NoReturn:
        from headwater.local.recipe import last_line

        raise ServiceFailed(f"{name} ended with exit code {child.wait()}: {last_line(child.log)}")


def _show(plan: Plan, chosen: Stream, system: System) -> None:
    """Send, show and sum up; Ctrl-C ends the sending, a second one the waiting."""
    from headwater import watch

    page = system.page
    _say(f"Page: {page}   Sending {chosen.title}, {chosen.rate:,.0f} events/s")
    producing = Producing(chosen, system.settings)
    if chosen.guests is not None:
        system.sell(chosen.guests, lambda: producing.handed)
    producing.start()

    def over(_: "Snapshot") -> bool:
        system.check()
        producing.check()
        return plan.seconds is not None and producing.seconds() >= plan.seconds

    def title() -> str:
        ended = "" if producing.running else ", all sent"
        return f"{page} · {chosen.title}{ended}"

    with suppress(KeyboardInterrupt):
        watch.watch(system.live, title, over)
    _say("Sending has ended; waiting until everything is learned ...")
    produced = producing.stop()
    snapshot, seconds = _drained(system, producing, produced)
    demo_summary.write(demo_summary.summary(snapshot, produced, seconds), plan.summary)


def _drained(system: System, producing: Producing, produced: int) -> tuple["Snapshot", float]:
    """Wait until the worker has handled everything; return the last snapshot and the time taken."""
    deadline = time.monotonic() + DRAIN_S
    snapshot, seconds = system.live.poll(), producing.seconds()
    with suppress(KeyboardInterrupt):
        while not _settled(snapshot, produced):
            system.check()
            if time.monotonic() > deadline:
                _say(f"after {DRAIN_S:.0f} s there is still lag; these are the figures so far")
                break
            time.sleep(0.25)
            snapshot, seconds = system.live.poll(), producing.seconds()
    return snapshot, seconds


def _settled(snapshot: "Snapshot", produced: int) -> bool:
    """Return whether everything was handled and the figures of quality are those of all of it."""
    judged = snapshot.samples.total(metrics.JUDGED, list="fresh")
    handled = snapshot.consumed() >= produced and snapshot.point.lag == 0
    return handled and judged >= snapshot.outcome("learned")


def _own(settings: Settings, folder: Path, kafka: str, redis: str, shop: bool) -> Settings:
    """Return the demo's settings: its own services, state and ports, every event judged fresh."""
    return msgspec.structs.replace(
        settings,
        pipeline=settings.pipeline or (SHOP if shop else ""),
        kafka=kafka,
        redis=redis,
        home=str(folder),
        snapshot_key=secrets.token_hex(32),
        metrics_host="127.0.0.1",
        metrics_port=ports.quiet(),
        page_port=ports.next_free(settings.page_port) if settings.page_port else ports.quiet(),
        fresh_sample=1.0,
    )


def _environ(settings: Settings) -> dict[str, str]:
    names = ("kafka", "redis", "home", "snapshot_key", "metrics_host", "metrics_port", "pipeline")
    values = {name: getattr(settings, name) for name in (*names, "page_port", "fresh_sample")}
    return {PREFIX + name.upper(): str(value) for name, value in values.items()}


@contextmanager
def _folder(home: Path) -> Iterator[Path]:
    """Give an empty folder that goes afterwards, but stays with its logs after an error."""
    for old in home.glob("demo-*"):
        if not Path("/proc", old.name.removeprefix("demo-")).exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = (home / f"demo-{os.getpid()}").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    logs_matter = False
    try:
        yield folder
    except Exception:
        logs_matter = True
        raise
    finally:
        if not logs_matter:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
