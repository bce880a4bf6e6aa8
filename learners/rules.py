"""Rules: a pipeline as the numbers that kernels go by."""

import numpy as np

from contracts.pipeline import CoOccurrence, Pipeline
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
    generators = pipeline.generators
    half_lives = _half_lives(pipeline)
    pairs = generators.co_occurrence
    return Rules(
        half_lives=np.array(half_lives, np.float64),
        baseline=half_lives.index(generators.popularity.baseline_s),
        pair_half_life=pairs.half_life_s if pairs else CoOccurrence().half_life_s,
        use=Use(
            recent=generators.recent is not None,
            pairs=pairs is not None,
            after=generators.transitions is not None,
            sessions=generators.neighbours is not None,
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
    """Return how wide the rows of a pipeline are; what is left out takes one column."""
    generators = pipeline.generators
    return Widths(
        scales=len(_half_lives(pipeline)),
        neighbours=generators.co_occurrence.neighbours if generators.co_occurrence else 1,
        followers=generators.transitions.followers if generators.transitions else 1,
        visits=generators.neighbours.visits if generators.neighbours else 1,
        history=history,
    )


def _half_lives(pipeline: Pipeline) -> tuple[float, ...]:
    """Return the half-lives in use: a blend looks at one of them only."""
    popularity = pipeline.generators.popularity
    return (popularity.baseline_s,) if pipeline.head == "blend" else popularity.half_lives_s
