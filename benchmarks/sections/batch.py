"""Batch: what a model that is refitted every hour of event time reaches, by `implicit`."""

from argparse import Namespace

from benchmarks.cases import Stream
from benchmarks.contest import Contest
from benchmarks.peers.rankers import hourly
from benchmarks.peers.rankers.base import Peer
from benchmarks.sections.peers import tell


def run(stream: Stream, args: Namespace) -> None:  # noqa: ARG001 - every section's signature
    """Judge item-item cosine and BPR, refitted at each full hour in which anybody comes."""
    users, items = stream.users, stream.items
    models = {
        "implicit's item-item cosine": hourly.Hourly(users, items, hourly.cosine()),
        **{
            f"implicit's BPR, rate {rate:g}": hourly.Hourly(users, items, hourly.bpr(rate))
            for rate in hourly.RATES
        },
    }
    rankers: dict[str, Peer] = dict(models)
    found = Contest(stream, rankers).run()
    print("refitted to all events at each full hour; the user's last items are this moment's, who")
    print("has none gets what was popular at the last fit. One thread. Capped: cosine keeps")
    print(f"{hourly.NEIGHBOURS} neighbours; BPR has {hourly.FACTORS} factors and goes on with")
    print(f"{hourly.PASSES} passes an hour instead of starting anew")
    tell(found)
    for name, model in models.items():
        print(f"{name}: {model.fits:,} fits in {model.fit_s:.0f} s")
