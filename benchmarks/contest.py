"""Contest: several peers asked before each event, then taught it, all from a cold start."""

import time
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from benchmarks.cases import Stream
from benchmarks.peers.rankers.base import I32, Peer, top
from benchmarks.peers.rankers.fusion import ReciprocalRanks
from benchmarks.tally import LENGTH, Tally

DEPTH = 100  # of the lists that are fused
FUSED = "reciprocal-rank fusion of these"
Lists = Mapping[str, I32]


class Contest:
    """What is found about each peer: where the chosen items stood, and the seconds spent.

    Args:
        stream: the events.
        rankers: the peers by name.
        filler: whose list fills up those that are too short; nobody's if empty.
        fuse: whether their reciprocal-rank fusion takes part as well.
    """

    def __init__(
        self, stream: Stream, rankers: Mapping[str, Peer], filler: str = "", fuse: bool = False
    ) -> None:
        self.stream, self._rankers = stream, rankers
        self.tally: dict[str, Tally] = defaultdict(Tally)
        self.seconds: dict[str, float] = defaultdict(float)
        self._filler, self._fusion = filler, ReciprocalRanks(list(rankers)) if fuse else None
        self._chosen: dict[int, list[int]] = defaultdict(list)

    def run(self) -> "Contest":
        """Let everybody be judged by each event and learn it."""
        pairs = zip(self.stream.user.tolist(), self.stream.item.tolist(), strict=True)
        for k, (user, item) in enumerate(pairs):
            lists = self._ask(k, user)
            self._judge(k, item, lists)
            self._teach(k, user, item)
        return self

    def _ask(self, k: int, user: int) -> dict[str, I32]:
        """Return everybody's list for event k, without what may not return."""
        never, ts, lists = self.stream.case.repeats == "never", self.stream.ts[k], {}
        for name, peer in self._rankers.items():
            start = time.perf_counter()
            scores = np.zeros(self.stream.items)
            peer.score(user, ts, scores)
            lists[name] = top(scores, self._chosen[user] if never else [], DEPTH)
            self.seconds[name] += time.perf_counter() - start
        return lists

    def _judge(self, k: int, item: int, lists: Lists) -> None:
        before = int(self.stream.before[k])
        behind = lists[self._filler].tolist() if self._filler else []
        for name, found in lists.items():
            self.tally[name].add(item, filled(found.tolist(), behind), before)
        if self._fusion is not None:
            start = time.perf_counter()
            scores = np.zeros(self.stream.items)
            self._fusion.score(lists, scores)
            found = top(scores, [], LENGTH)
            self._fusion.learn(lists, item)
            self.seconds[FUSED] += time.perf_counter() - start
            self.tally[FUSED].add(item, found.tolist(), before)

    def _teach(self, k: int, user: int, item: int) -> None:
        for name, peer in self._rankers.items():
            start = time.perf_counter()
            peer.learn(user, item, self.stream.ts[k])
            self.seconds[name] += time.perf_counter() - start
        self._chosen[user].append(item)


def filled(found: list[int], behind: list[int]) -> list[int]:
    """Return a list of 20, the end from `behind` if it is too short.

    >>> filled([3, 1], [1, 2])
    [3, 1, 2]
    """
    if len(found) < LENGTH:
        found = list(dict.fromkeys([*found, *behind]))
    return found[:LENGTH]
