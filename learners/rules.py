"""Rules: a pipeline as the numbers that kernels go by."""

import numpy as np

from contracts.pipeline import CoOccurrence, Neighbours, Pipeline, Transitions
from learners.arrays import Widths
from learners.candidates import Use, View
from learners.head import ALONE, BLEND, MIXTURE, SOFTMAX, Rules

HEADS = {"softmax": SOFTMAX, "mixture": MIXTURE, "blend": BLEND}


def rules_of(
    pipeline: Pipeline, pages: int, learn_repeats: bool, alone: View | None = None
) -> Rules:
    """Return the rules of a pipeline; `pages` of seen items are kept per user.

    With `alone` one view ranks by itself.
    """
    generators, half_lives = pipeline.generators, _half_lives(pipeline)
    pairs, after, sessions = _in_use(pipeline)
    return Rules(
        half_lives=np.array(half_lives, np.float64),
        baseline=half_lives.index(generators.popularity.baseline_s),
        pair_half_life=pairs.half_life_s if pairs else CoOccurrence().half_life_s,
        use=Use(
            recent=generators.recent is not None and pipeline.head != "blend",
            pairs=pairs is not None,
            after=after is not None,
            sessions=sessions is not None,
        ),
        head=HEADS[pipeline.head] if alone is None else ALONE,
        rate=pipeline.rate,
        lengths=np.array(pipeline.segments.history, np.int64),
        gaps=np.array(pipeline.segments.gap_s, np.float64),
        pages=max(1, pages),
        learn_repeats=learn_repeats,
        alone=0 if alone is None else len(half_lives) + alone,
    )


def widths_of(pipeline: Pipeline, history: int) -> Widths:
    """Return how wide the rows of a pipeline are; what is not in use takes one column."""
    pairs, after, sessions = _in_use(pipeline)
    return Widths(
        scales=len(_half_lives(pipeline)),
        neighbours=pairs.neighbours if pairs else 1,
        followers=after.followers if after else 1,
        visits=sessions.visits if sessions else 1,
        history=history,
    )


def sessions_of(pipeline: Pipeline) -> int:
    """Return how many sessions are remembered, at least one."""
    sessions = _in_use(pipeline)[2]
    return sessions.sessions if sessions else 1


def _in_use(
    pipeline: Pipeline,
) -> tuple[CoOccurrence | None, Transitions | None, Neighbours | None]:
    """Return the generators in use behind the popular: a blend looks at the first one only."""
    generators = pipeline.generators
    if pipeline.head == "blend":
        return generators.co_occurrence, None, None
    return generators.co_occurrence, generators.transitions, generators.neighbours


def _half_lives(pipeline: Pipeline) -> tuple[float, ...]:
    """Return the half-lives in use: a blend looks at one of them only."""
    popularity = pipeline.generators.popularity
    return (popularity.baseline_s,) if pipeline.head == "blend" else popularity.half_lives_s
