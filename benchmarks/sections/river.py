"""River: what its BiasedMF reaches, judged by a part of the events because it is slow."""

from argparse import Namespace
from collections import defaultdict
from collections.abc import Hashable

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.peers.rankers.river_mf import RiverMF
from benchmarks.tally import LENGTH, Tally, row

EVERY = 200  # events learned per event judged


def run(stream: Stream, args: Namespace) -> None:
    """Judge both by the same events; all events are learned."""
    theirs, mine = RiverMF(), ours.ranker(ours.repeats(stream, args))
    found = {"River's BiasedMF": Tally(), "ours": Tally()}
    chosen, never = defaultdict[Hashable, set[Hashable]](set), stream.case.repeats == "never"
    for k, event in enumerate(stream.rows):
        user, item, before = event["user"], event["item"], int(stream.before[k])
        if k % EVERY == EVERY - 1:
            offered = set(theirs.items) - (chosen[user] if never else set())
            found["River's BiasedMF"].add(item, theirs.rank(user, offered)[:LENGTH], before)
            found["ours"].add(item, mine.candidates(user, LENGTH, x={"ts": event["ts"]}), before)
        chosen[user].add(item)
        theirs.learn_one(user, item)
        mine.learn_one(user, item, x={"ts": event["ts"]})
    print(f"all events learned, every {EVERY}th judged: River scores items one by one; 10 factors,")
    print("River's defaults, a 1 for each choice and a 0 for an item drawn at random")
    print(figures.table([row({"all events": n}, t.figures()) for n, t in found.items()]))
