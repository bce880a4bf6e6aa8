"""The lists of scenarios: what all partitions of a worker need to make them."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set

from contracts.keys import REC_OF
from contracts.scenarios import Scenario
from contracts.settings import Settings
from learners.arrays import I32
from learners.recommender import Recommender
from learners.scenario_ranker import ScenarioRanker
from learners.users import Users
from state.lists import Cut
from state.render import Ranked
from streams.interactions.asked import Asked
from streams.interactions.hiding import together
from streams.interactions.kinds import Kinds
from streams.interactions.publishing import Publishing
from streams.shards import Send


class ScenarioLists:
    """Ranks lists and turns them into commands; `publishing` knows the names of items.

    `look` is to be called now and then, and once when all is known that was told of items.
    """

    def __init__(
        self,
        settings: Settings,
        scenarios: Mapping[str, Scenario],
        kinds: Kinds,
        model: Recommender,
        publishing: Publishing,
    ) -> None:
        self.scenarios = scenarios
        self._names = list(scenarios)
        self._list_age_s = settings.list_age_s
        self._kinds, self._model, self._publishing = kinds, model, publishing
        self._top = list[bytes]()
        self.ranker = ScenarioRanker(
            model, list(scenarios.values()), kinds.attributes, settings.list_length
        )
        publishing.renamed.append(self._renamed)

    def asked(self, users: Users) -> Asked:
        """Return what keeps in mind whose lists are wanted, of one partition."""
        return Asked(self.scenarios, users, self._list_age_s)

    def _renamed(self, slots: Sequence[int]) -> None:
        """Know that these slots have other items now."""
        if not self._names:
            return
        names, kind = self._model.ids.names, self._kinds.of.get
        kinds = [kind(names[slot], 0) for slot in slots]
        if max(kinds, default=0) >= self.ranker.kinds:
            self._go_by_rules()
        self.ranker.note_kinds(slots, kinds)

    def _go_by_rules(self) -> None:
        self.ranker.go_by(self._kinds.factors(time.time()), self._kinds.values())

    def look(self) -> None:
        """Take over what was told of items, and look for what is popular in each scenario."""
        if not self._names:
            return
        self._go_by_rules()
        self._publishing.follow_names(self._model)
        slots = self._model.ids.find_all(self._kinds.news())
        self._renamed(slots[slots >= 0].tolist())
        self.ranker.look()

    def lists(self, users: Users, slots: I32, asked: Asked, version: int) -> list[bytes]:
        """Return the commands that publish those lists of users that are wanted."""
        if not self._names:
            return []
        wanted = asked.wanted(slots)
        some = wanted.any(axis=1)
        slots, wanted, now = slots[some], wanted[some], self._model.latest
        if not len(slots):
            return []
        self._publishing.follow_names(self._model)
        ranked, which = self.ranker.rank(users, slots, wanted, now)
        whose = slots[ranked.event]
        names = [users.ids.names[slot] for slot in whose.tolist()]
        scenarios = [self._names[n] for n in which.tolist()]
        return self._publishing.answers.of_scenarios(
            Ranked(ranked.item, ranked.score, ranked.length, ranked.why, ranked.via),
            zip(names, scenarios, strict=True),
            version,
            now,
            asked.left_s(whose, which).tolist(),
        )

    def cuts(self, users: Users, asked: Asked, items: Set[str]) -> Iterator[Cut]:
        """Yield what is to be cut out of the lists that are wanted: any may hold any item."""
        slots, numbers = asked.all_wanted()
        wanted = [
            REC_OF.at("", user=users.ids.names[slot], scenario=self._names[number])
            for slot, number in zip(slots.tolist(), numbers.tolist(), strict=True)
            if users.ids.names[slot]
        ]
        yield from together(wanted, list(items))

    async def publish_trending(self, send: Send) -> None:
        """Publish what strangers are shown in each scenario, if that changed."""
        if not (self._names and self._model.latest):
            return
        self._publishing.follow_names(self._model)
        ranked, _ = self.ranker.strangers()
        shown = Ranked(ranked.item, ranked.score, ranked.length)
        top = self._publishing.answers.trending_of(shown, self._names, self._model.latest)
        if top != self._top:
            await send(top)
            self._top = top
