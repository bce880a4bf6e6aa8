"""Ablation: what the lists lose without each generator."""

from argparse import Namespace

from benchmarks import figures, ours
from benchmarks.cases import Stream
from benchmarks.prequential import delayed
from benchmarks.tally import Tally, row
from learners.room import GENERATORS


def run(stream: Stream, args: Namespace) -> None:
    """Judge the learner with all its generators, then without each."""
    repeats = ours.repeats(stream, args)
    whole = delayed(stream, ours.ranker(repeats), 0.0)
    found = {name: delayed(stream, ours.without(name, repeats), 0.0) for name in GENERATORS}
    print("fresh lists, all events; share: of the HR@10 with all generators")
    print(figures.table([_row(name, t, whole) for name, t in {"none": whole, **found}.items()]))


def _row(name: str, tally: Tally, whole: Tally) -> dict[str, str]:
    share = tally.figures()["hr_at_10"] / max(whole.figures()["hr_at_10"], 1e-9)
    return {**row({"left out": name}, tally.figures()), "share": f"{share:.3f}"}
