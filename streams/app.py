"""Wiring: the only place where the concrete classes of a worker meet."""

import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import faust
from faust.app.base import BootStrategy

from contracts import pipeline
from contracts.control import Points
from contracts.metrics import SNAPSHOTS
from contracts.settings import Settings
from contracts.topics import ITEMS, USERS
from state.audit import RedisAudit
from state.connection import Pipe, away
from state.manifest import Log
from state.misses import Misses
from state.opened import snapshots
from state.people import keys_of, take_away
from state.snapshots import Snapshots
from streams.catalogue.catalogue import Catalogue
from streams.control.reader import TopicReader
from streams.control.seal import Seal
from streams.kafka.admin import servers
from streams.kafka.link import ConsumerLink
from streams.kafka.log_ends import LogEnds
from streams.kafka.mentions import MentionReader
from streams.kafka.thread import Fetched
from streams.kafka.transport import BatchSchema, Transport
from streams.shards import NoTelemetry, Telemetry, Unit
from streams.telemetry.http import Health
from streams.worker.background import BackgroundTasks, Duties
from streams.worker.farewell import Farewell
from streams.worker.follower import Follower
from streams.worker.introduction import introduce
from streams.worker.ledger import Ledger
from streams.worker.loader import ShardLoader
from streams.worker.logins import Logins
from streams.worker.manager import ShardManager
from streams.worker.outbox import Outbox
from streams.worker.owned_shard import OwnedShard
from streams.worker.owned_shards import OwnedShards
from streams.worker.ownership import Ownership
from streams.worker.poison import Poison
from streams.worker.processor import BatchProcessor
from streams.worker.profiles import Profiles, teller
from streams.worker.readers import Readers
from streams.worker.rollback import Rollback
from streams.worker.saver import ShardSaver
from streams.worker.sender import Sender
from streams.worker.steward import Steward
from streams.worker.tombstones import Tombstones
from streams.worker.unhurried import unhurried
from streams.worker.visibility import Visibility
from streams.worker.waits import Retry, Waits
from streams.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from redis.asyncio import Redis

SESSION_S = 8.0


class WithoutWeb(BootStrategy):
    """Faust's own web server would bind a port."""

    enable_web = False
    enable_kafka_producer = False


class App(faust.App):
    """A Faust app that gives everything back before Faust stops its consumer."""

    BootStrategy = WithoutWeb
    logger = logging.getLogger("faust.app")
    components: "Components"

    async def on_start(self) -> None:
        """Begin the worker's duties."""
        await super().on_start()
        self.components.background.start()

    async def on_stop(self) -> None:
        """Finish, save and commit while the consumer still lives."""
        await self.components.manager.stop()
        await self.components.background.stop()
        await super().on_stop()
        await self.components.close()

    def _create_directories(self) -> None:
        """Faust keeps nothing on disk here."""


class Components:
    """Everything that one worker consists of besides Faust."""

    def __init__(
        self,
        settings: Settings,
        redis: "Redis",
        units: Sequence[Unit],
        log: Log,
        telemetry: Telemetry,
        health: Health,
    ) -> None:
        self.waits = Waits(telemetry, health)
        self.retry = Retry(self.waits, away())
        self.redis = redis
        self.sender, self.ends = Sender(settings, self.waits), LogEnds(settings)
        store = snapshots(settings, redis, lambda *_: telemetry.count(SNAPSHOTS, outcome="refused"))
        self.owned_shards = OwnedShards(units, settings.topic_prefix)
        loader = ShardLoader(self.owned_shards, store, log)
        self.manager = self._manager(loader, store, telemetry)
        dog = Watchdog(self.manager, self.waits, self.ends, telemetry, health, settings.watchdog_s)
        audit = RedisAudit(redis, settings.key_prefix)
        ledger = Ledger(Seal(settings), self.sender, audit, self.retry)
        steward = self._steward(settings, loader, store, ledger, telemetry)
        orders = TopicReader(settings, self.ends, steward.take)
        follower = self._follower(settings, orders, steward, telemetry)
        self.background = BackgroundTasks(
            self.manager, dog, self.waits, settings, orders, steward, follower
        )
        self.background.catalogue = self._catalogue(settings, orders, steward, ledger)
        self.background.people = self._people(settings, loader, steward, ledger)

    def _manager(self, loader: ShardLoader, store: Snapshots, telemetry: Telemetry) -> ShardManager:
        gone, link, held = away(), ConsumerLink(), self.owned_shards
        outbox = Outbox(self.sender, self.waits, telemetry, gone)
        ownership = Ownership(held, loader, outbox, self.ends, link, self.retry)
        outbox.look = lambda owned: ownership.look([owned])
        processor = BatchProcessor(held, outbox, self.ends, link, self.retry)
        processor.poison = Poison(telemetry, ownership.reload)
        saver = ShardSaver(held, loader, store, telemetry, ownership.fenced)
        manager = ShardManager(held, ownership, processor, saver, outbox, link)
        manager.away = gone
        return manager

    def _steward(
        self,
        settings: Settings,
        loader: ShardLoader,
        store: Snapshots,
        ledger: Ledger,
        telemetry: Telemetry,
    ) -> Steward:
        manager = self.manager
        reload = manager.ownership.reload
        steward = Steward(self.owned_shards, loader, ledger, manager.link, telemetry)
        steward.rollback = Rollback(
            self.owned_shards, loader, store, self.ends.bounds, reload, self.retry
        )
        steward.farewell = Farewell(
            MentionReader(settings), self.retry, self.owned_shards.standstill
        )
        steward.opening = lambda: manager.ownership.opening
        steward.save = manager.save_if_there
        manager.processor.arrived = steward.nudge
        return steward

    def _catalogue(
        self, settings: Settings, orders: TopicReader, steward: Steward, ledger: Ledger
    ) -> Duties:
        """Return the duties that hide items; no shard opens before it is known what is hidden."""
        visibility = Visibility(self.owned_shards, self.retry)
        catalogue = Catalogue(settings, visibility.apply, partial(ledger.bury, ITEMS.name))
        catalogue.tell = visibility.tell
        items = TopicReader(settings, self.ends, catalogue.take, ITEMS, whole=False)

        async def caught_up() -> None:
            await orders.caught_up()
            await items.caught_up()
            catalogue.look()

        def opened_one(owned: OwnedShard) -> None:
            steward.plan(owned)
            visibility.opened()

        self.manager.ownership.caught_up = caught_up
        self.manager.ownership.opened_one = opened_one
        return items.run, catalogue.run, visibility.run, *self._readers(settings)

    def _readers(self, settings: Settings) -> Duties:
        """Return what listens to readers, where there are lists made for those who ask."""
        scenarios = pipeline.read(settings.pipeline).scenarios
        asked = [name for name, scenario in scenarios.items() if scenario.made == "asked"]
        missed = Misses(self.redis, settings.key_prefix, asked, settings.scenario_age_s)
        readers = Readers(self.owned_shards, self.manager.outbox, missed, away())
        return (readers.run,) if asked else ()

    def _follower(
        self, settings: Settings, orders: TopicReader, steward: Steward, telemetry: Telemetry
    ) -> Follower:
        follower = Follower(settings, self.owned_shards, telemetry)
        follower.poison = Poison(NoTelemetry(), self.manager.ownership.reload)
        follower.caught_up, follower.arrived = orders.caught_up, steward.nudge
        return follower

    def _people(
        self, settings: Settings, loader: ShardLoader, steward: Steward, ledger: Ledger
    ) -> Duties:
        """Return the duties that read `users`: who is to be forgotten, and who was a guest."""
        retry, held = self.retry, self.owned_shards
        chosen = pipeline.read(settings.pipeline)
        scenarios, contexts = chosen.scenarios, chosen.segments.context
        counts = {t: loader.log.partitions.get(t, 0) for unit in held.units for t in unit.topics}
        tps = {held.tp(topic, p): topic for topic, n in counts.items() for p in range(n)}

        async def ends() -> Points:
            found: Points = {}
            for tp, end in (await retry.until_answered(lambda: self.ends.ends(tps))).items():
                found.setdefault(tps[tp], {})[tp.partition] = end
            return found

        async def unpublish(user: str) -> None:
            names = keys_of(settings.key_prefix, user, scenarios, settings.predictors)
            await retry.until_answered(lambda: take_away(self.redis, names))

        sealed = Seal(settings).sealed
        tombstones = Tombstones(settings, held, steward.schedule, sealed, self.sender.send)
        tombstones.ends, tombstones.unpublish = ends, unpublish
        bury = partial(ledger.bury, USERS.name)
        logins = Logins(settings, held, ends, self.sender.send, bury)
        logins.opening = lambda: self.manager.ownership.opening
        profiles = Profiles(contexts, teller(settings, self.redis, retry))
        logins.tell = [partial(introduce, held.units), profiles.note]

        async def take(records: Sequence[Any]) -> None:
            await tombstones.take(records)
            await logins.take(records)
            await profiles.publish()

        users = TopicReader(settings, self.ends, take, USERS, whole=False)
        return users.run, tombstones.run, logins.run

    async def close(self) -> None:
        """Give every connection back."""
        await self.sender.stop()
        await self.ends.stop()
        await self.redis.aclose()


def standard_units(settings: Settings, telemetry: Telemetry, redis: "Redis") -> list[Unit]:
    """Return what a worker folds: interactions and, where the settings name some, predictors.

    The kernels are loaded before anything is assigned: it would hold the first events up.

    Raises:
        SettingsError: a predictor is none.
    """
    from streams.interactions.unit import Interactions
    from streams.interactions.warm import warm
    from streams.predictions.unit import PredictorsUnit

    warm(settings)
    send, aside = Pipe(redis).send, unhurried(Pipe(redis).send)
    units: list[Unit] = [Interactions(settings, telemetry, send, aside)]
    if settings.predictors:
        units.append(PredictorsUnit(settings, telemetry, Pipe(redis).send))
    return units


def build(settings: Settings, components: Components) -> App:
    """Return the Faust app of a worker: one agent per unit, batches in, nothing decoded."""
    app = App(
        settings.group,
        broker=[f"kafka://{address}" for address in servers(settings)],
        autodiscover=False,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 4,
        broker_request_timeout=30.0,
        broker_rebalance_timeout=60.0,
        broker_commit_interval=1.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.components = components
    app.transport = Transport(app.conf.broker_consumer, app, components.manager)
    for unit in components.owned_shards.units:
        attach(app, unit, components.manager, settings.topic_prefix)
    return app


def attach(app: App, unit: Unit, manager: ShardManager, prefix: str) -> Any:
    """Attach the agent that feeds a unit's shards, and return it."""

    async def feed(messages: AsyncIterator[Sequence[Fetched]]) -> None:
        async for fetched in messages:
            await manager.handle(fetched)

    topic = app.topic(
        *(prefix + name for name in unit.topics), schema=BatchSchema(), internal=False
    )
    return app.agent(topic, name=f"{prefix}{'+'.join(unit.topics)}")(feed)
