"""Peers: plain references of the published algorithms, all over the same events in one pass."""

from argparse import Namespace

from benchmarks import figures
from benchmarks.cases import Stream
from benchmarks.contest import FUSED, Contest
from benchmarks.peers.rankers.base import Peer
from benchmarks.peers.rankers.item_knn import ItemKNN
from benchmarks.peers.rankers.own import OwnLastItems
from benchmarks.peers.rankers.popularity import Popularity
from benchmarks.peers.rankers.rules import AssociationRules, SequentialRules
from benchmarks.peers.rankers.vs_knn import VSKNN
from benchmarks.tally import row

HALF_LIVES_S = {
    "all time": float("inf"),
    "5 min": 300.0,
    "20 min": 1_200.0,
    "1 h": 3_600.0,
    "3 h": 10_800.0,
    "1 d": 86_400.0,
    "7 d": 604_800.0,
}
RECENT = "popularity, "


def run(stream: Stream, args: Namespace) -> None:  # noqa: ARG001 - every section's signature
    """Try every half-life, then judge everybody and their fusion."""
    scales: dict[str, Peer] = {n: Popularity(stream.items, s) for n, s in HALF_LIVES_S.items()}
    found = Contest(stream, scales).run()
    best, filler = (_best(found, who) for who in ("all", "0"))
    print("popularity by half-life, all events, HR@10: ", end="")
    print(", ".join(f"{n} {t.figures()['hr_at_10']:.4f}" for n, t in found.tally.items()))
    print(f"below: the best of these, {best}; short lists, and strangers', are filled up with that")
    print(f"which is best for strangers, {filler}; both with hindsight, in the peers' favour")
    tell(Contest(stream, _rankers(stream, best, filler), RECENT + filler, fuse=True).run())
    print(f"µs: score, list, learn; {FUSED}: its own part only")


def _best(found: Contest, who: str) -> str:
    return max(found.tally, key=lambda name: found.tally[name].figures(who)["hr_at_10"])


def _rankers(stream: Stream, best: str, filler: str) -> dict[str, Peer]:
    users, items = stream.users, stream.items
    scales = dict.fromkeys(["all time", best, filler])
    return {
        **{RECENT + scale: Popularity(items, HALF_LIVES_S[scale]) for scale in scales},
        "association rules, last item": AssociationRules(items),
        "sequential rules, last item": SequentialRules(items),
        "item-kNN, cosine, last 20": ItemKNN(items),
        "VS-kNN, current item allowed, 1/d, idf": VSKNN(users, items),
        **({"own last items": OwnLastItems()} if stream.case.repeats != "never" else {}),
    }


def tell(found: Contest) -> None:
    """Print everybody's figures, coverage and microseconds per event."""
    items, n = found.stream.items, max(len(found.stream.rows), 1)
    for who in ("known", "all"):
        rows = [
            {
                **row({f"{who} events": name}, tally.figures(who)),
                "coverage": f"{tally.coverage(items):.1%}",
                "µs": f"{found.seconds[name] / n * 1e6:.0f}",
            }
            for name, tally in found.tally.items()
        ]
        print(figures.table(rows))
