"""Rules: a pipeline as the numbers that kernels go by."""

from typing import NamedTuple

import numpy as np

from contracts.pipeline import CoOccurrence, Generators, Pipeline, Popularity
from learners.arrays import F64, I64, JUDGED, Widths
from learners.kernel import kernel
from learners.room import Use, View

SOFTMAX, MIXTURE, BLEND, ALONE = 0, 1, 2, 3  # heads
LEARNING = (SOFTMAX, MIXTURE)
HEADS = {"softmax": SOFTMAX, "mixture": MIXTURE, "blend": BLEND}


class Rules(NamedTuple):
    """The numbers that a kernel goes by."""

    half_lives: F64  # (scales,) seconds
    baseline: int  # which of them is the popularity that lists are compared with
    pair_half_life: float  # seconds
    use: Use
    head: int
    rate: float
    lengths: I64  # history lengths at which another segment begins
    gaps: F64  # seconds since the user's last event at which another segment begins
    pages: int  # pages of seen items per user at most
    learn_repeats: bool  # a head without weights finds out whether items may return
    alone: int  # the row of masses that ranks ALONE
    reacts: bool  # memory is shortened where taste changes
    explored: float  # places of a list for what few have chosen, on average
    length: int  # places of a list


class Segments(NamedTuple):
    """The rows of the head that a user is in now."""

    everybody: int
    length: int
    gap: int


def rules_of(
    pipeline: Pipeline,
    pages: int,
    learn_repeats: bool,
    alone: View | None = None,
    length: int = JUDGED,
) -> Rules:
    """Return the rules of a pipeline; `pages` of seen items are kept per user.

    With `alone` one view ranks by itself.
    """
    used, segments = _used(pipeline), pipeline.segments
    half_lives = used.popularity.half_lives_s
    return Rules(
        half_lives=np.array(half_lives, np.float64),
        baseline=half_lives.index(used.popularity.baseline_s),
        pair_half_life=(used.co_occurrence or CoOccurrence()).half_life_s,
        use=Use(*(getattr(used, name) is not None for name in Use._fields)),
        head=HEADS[pipeline.head] if alone is None else ALONE,
        rate=pipeline.rate,
        lengths=np.array(segments.history, np.int64),
        gaps=np.array(segments.gap_s, np.float64),
        pages=max(1, pages),
        learn_repeats=learn_repeats,
        alone=0 if alone is None else len(half_lives) + alone,
        reacts=pipeline.reacts and used.co_occurrence is not None,
        explored=pipeline.exploration.share * length if used.content else 0.0,
        length=length,
    )


def widths_of(pipeline: Pipeline, history: int) -> Widths:
    """Return how wide the rows of a pipeline are; what is not in use takes one column."""
    used = _used(pipeline)
    return Widths(
        scales=len(used.popularity.half_lives_s),
        neighbours=used.co_occurrence.neighbours if used.co_occurrence else 1,
        followers=used.transitions.followers if used.transitions else 1,
        visits=used.neighbours.visits if used.neighbours else 1,
        history=history,
    )


def sessions_of(pipeline: Pipeline) -> int:
    """Return how many sessions are remembered, at least one."""
    neighbours = _used(pipeline).neighbours
    return neighbours.sessions if neighbours else 1


def reserved_of(pipeline: Pipeline) -> int:
    """Return how many items that nobody has chosen may be on lists."""
    content = _used(pipeline).content
    return content.newcomers if content else 0


def _used(pipeline: Pipeline) -> Generators:
    """Return the generators in use: a blend looks at co-occurrence and at one half-life."""
    given = pipeline.generators
    if pipeline.head != "blend":
        return given
    life = given.popularity.baseline_s
    return Generators(
        popularity=Popularity((life,), life),
        recent=None,
        co_occurrence=given.co_occurrence,
        transitions=None,
        neighbours=None,
    )


@kernel(inner=True)
def segments(rules: Rules, chosen: int, since: float) -> Segments:
    """Return the segments of a user with so long a history, `since` seconds after it ended."""
    length, gap = 1, 2 + len(rules.lengths)
    for bound in rules.lengths:
        length += chosen >= bound
    for bound in rules.gaps:
        gap += since >= bound
    return Segments(0, length, gap)


@kernel(inner=True)
def learns(rules: Rules) -> bool:
    """Return whether the head learns from events and needs the candidates described."""
    return rules.head in LEARNING
