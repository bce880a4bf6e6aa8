"""The lists of scenarios: what all partitions of a worker need to make them."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np

from contracts.keys import REC_OF
from contracts.scenarios import Scenario
from contracts.settings import Settings
from learners.arrays import I32
from learners.recommender import Recommender, Users
from learners.scenario_ranker import ScenarioRanker
from state.lists import Cut, Lists
from state.render import Ranked
from streams.interactions.asked import Asked
from streams.interactions.hiding import together
from streams.interactions.kinds import Kinds


class ScenarioLists:
    """Ranks lists and turns them into commands; `answers` knows the names of items.

    `look` is to be called now and then, and `renamed` for slots whose item is another now.
    """

    def __init__(
        self,
        settings: Settings,
        scenarios: Mapping[str, Scenario],
        kinds: Kinds,
        model: Recommender,
        answers: Lists,
    ) -> None:
        self.scenarios = scenarios
        self._names = list(scenarios)
        self._age_s = settings.scenario_age_s
        self._kinds, self._model, self._answers = kinds, model, answers
        given = scenarios.values()
        self.ranker = ScenarioRanker(
            model,
            [s.length or settings.list_length for s in given],
            [s.repeats == "never" for s in given],
            np.array(
                [[s.caps.get(name, 0) for name in kinds.capped] for s in given], np.int32
            ).reshape(len(scenarios), len(kinds.capped)),
        )

    def asked(self, users: Users) -> Asked:
        """Return what keeps in mind whose lists are wanted, of one partition."""
        return Asked(self.scenarios, users, self._age_s)

    def renamed(self, slots: Sequence[int]) -> None:
        """Know that these slots have other items now."""
        if self._names:
            names, kind = self._model.ids.names, self._kinds.of.get
            self.ranker.call(slots, [kind(names[slot], 0) for slot in slots])

    def look(self) -> None:
        """Take over what was told of items, and look for what is popular in each scenario."""
        if not self._names:
            return
        names = [name for name in self._kinds.news() if name in self._model.ids]
        self.renamed([self._model.ids.find(name) for name in names])
        self.ranker.choose(self._kinds.factors(time.time()), self._kinds.values())

    def lists(self, users: Users, slots: I32, asked: Asked, version: int) -> list[bytes]:
        """Return the commands that publish those lists of users that are wanted."""
        if not self._names:
            return []
        wanted = asked.wanted(slots)
        some = wanted.any(axis=1)
        slots, wanted, now = slots[some], wanted[some], self._model.latest
        if not len(slots):
            return []
        ranked, which = self.ranker.rank(users, slots, wanted, now)
        whose = slots[ranked.event]
        names = [users.ids.names[slot] for slot in whose.tolist()]
        scenarios = [self._names[n] for n in which.tolist()]
        return self._answers.of_scenarios(
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

    def trending(self) -> list[bytes]:
        """Return the commands that publish what strangers are shown in each scenario."""
        if not (self._names and self._model.latest):
            return []
        ranked, _ = self.ranker.strangers()
        shown = Ranked(ranked.item, ranked.score, ranked.length)
        return self._answers.trending_of(shown, self._names, self._model.latest)
