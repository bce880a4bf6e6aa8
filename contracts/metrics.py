"""Every metric that Headwater exposes, in one table: name, kind, labels, meaning, buckets.

Base units (seconds, bytes, ratios); labels are bounded by configuration, a user id is never one.
Counters are written here without the `_total` that the exposition adds.
"""

from typing import Literal, NamedTuple

MS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1)
SUB_S = (0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7)  # here lies the p99 of a busy machine
LATENCY_S = (*MS, *SUB_S, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STAGE_S = (0.00001, 0.0001, 0.0003, *MS, 0.25, 1.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
# Segments of WEIGHTS; behind the last two stands where one begins, as in `history:5`.
EVERYBODY, HISTORY, GAP_S = "all", "history", "gap_s"
SEGMENTS = "segments"  # a generator of WEIGHTS: what people of the same context choose


class Metric(NamedTuple):
    """One metric: its name, kind, what it says, its labels and, for a histogram, its buckets."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    holds: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


EVENTS = Metric(
    "headwater_events",
    "counter",
    "messages by what became of them: learned, answered, duplicate, dead_letter, rekeyed, late, "
    "forgotten, guest",
    ("topic", "outcome"),
)
DEAD_LETTERS = Metric("headwater_dead_letters", "counter", "dead letters by reason", ("reason",))
BATCH_EVENTS = Metric("headwater_batch_events", "histogram", "events per batch", (), SIZES)
STAGE_SECONDS = Metric(
    "headwater_stage_seconds",
    "histogram",
    "time per batch: decode, learn (judge, learn and rank in one kernel), render, publish",
    ("stage",),
    STAGE_S,
)
CONTEXT_REFUSED = Metric(
    "headwater_context_refused",
    "counter",
    "values of `context` that are no segment; reason unusable (no text, number, true or false, or "
    "too long) or beyond (there are as many of that name as are kept)",
    ("name", "reason"),
)
LAG = Metric("headwater_lag_events", "gauge", "messages not yet processed", ("topic", "partition"))
FOLLOWED_LAG = Metric(
    "headwater_followed_lag_events",
    "gauge",
    "messages of other workers' partitions that items have not learned here yet",
    ("topic", "partition"),
)
FRESHNESS = Metric(
    "headwater_freshness_seconds",
    "histogram",
    "from the broker's timestamp of an event to its list standing in Redis",
    (),
    LATENCY_S,
)
LISTS = Metric("headwater_lists_published", "counter", "answers written to Redis", ("kind",))
QUALITY = Metric(
    "headwater_quality_ratio",
    "gauge",
    "judged before learning; measure hr_at_10, hr_at_20, mrr_at_20 or ndcg_at_10; model lists or "
    "popularity; list stored or fresh; span window (the last events) or total",
    ("measure", "model", "list", "span"),
)
JUDGED = Metric(
    "headwater_judged_events",
    "gauge",
    "events that the totals of headwater_quality_ratio are made of; list stored or fresh",
    ("list",),
)
COVERAGE = Metric(
    "headwater_coverage_ratio", "gauge", "share of known items in the last lists published"
)
LIST_AGE = Metric(
    "headwater_list_age_seconds",
    "gauge",
    "age, in time of events, of the lists that stand in Redis; quantile 0.5 or 0.99",
    ("quantile",),
)
WEIGHTS = Metric(
    "headwater_fusion_weight_ratio",
    "gauge",
    "size of a generator's weights in the fusion, of all generators together; segment "
    f"{EVERYBODY}, {HISTORY}:N or {GAP_S}:N, from N on",
    ("generator", "segment"),
)
STATE_SIZE = Metric(
    "headwater_state_size",
    "gauge",
    "users, items, hidden ones, pairs and pending features held",
    ("kind",),
)
EVICTIONS = Metric("headwater_evictions", "counter", "least recently used, let go", ("kind",))
SNAPSHOT_AGE = Metric(
    "headwater_snapshot_age_seconds", "gauge", "since the last snapshot", ("shard",)
)
SNAPSHOTS = Metric(
    "headwater_snapshots", "counter", "snapshots by outcome: saved, fenced, refused", ("outcome",)
)
DRIFTS = Metric("headwater_drifts", "counter", "changes that the watchers found", ("model",))
FROZEN = Metric(
    "headwater_frozen",
    "gauge",
    "1 while a model is frozen, see `headwater freeze`",
    ("model", "partition"),
)
WAITING = Metric(
    "headwater_waiting", "gauge", "1 while the worker waits for kafka or redis", ("service",)
)
PREDICTIONS = Metric("headwater_predictions", "counter", "answers given", ("predictor",))
ACCURACY = Metric(
    "headwater_accuracy_ratio",
    "gauge",
    "share of answers that were right, judged before learning",
    ("predictor", "span"),
)
LEARNER_OUT = Metric(
    "headwater_learner_out",
    "gauge",
    "1 while a learner is out of the pipeline, since it raised on everything; verb predict_one or "
    "learn_one",
    ("learner", "verb"),
)
GROUP_HITS = Metric(
    "headwater_group_hit_ratio",
    "gauge",
    "HR@10 of the lists that stood there when a group's events came, of the last 10,000 events; "
    "bound mean, low or high: a 95 % interval",
    ("grouping", "group", "bound"),
)
GROUP_SHARE = Metric(
    "headwater_group_share_ratio",
    "gauge",
    "share of a group of items in the first ten places of the lists given meanwhile, and in what "
    "was chosen; of places or choices",
    ("grouping", "group", "of"),
)
GROUP_POPULARITY = Metric(
    "headwater_group_popularity_ratio",
    "gauge",
    "how popular what was listed is, of a group of items or for one of users, divided by how "
    "popular what was chosen is; 1 where lists are as popular as choices",
    ("grouping", "group"),
)
GROUP_SHORT = Metric(
    "headwater_group_short",
    "gauge",
    "1 while a group is surely below `least`; what hits or places",
    ("grouping", "group", "what"),
)
FLOOR_HITS = Metric(
    "headwater_floor_hit_ratio",
    "gauge",
    "HR@10 of lists as they were given, with floors, and as they would be without, of the same "
    "events: the first of each user in a batch; list given or free",
    ("list",),
)

METRICS = (
    EVENTS,
    DEAD_LETTERS,
    BATCH_EVENTS,
    STAGE_SECONDS,
    CONTEXT_REFUSED,
    LAG,
    FOLLOWED_LAG,
    FRESHNESS,
    LISTS,
    QUALITY,
    JUDGED,
    COVERAGE,
    LIST_AGE,
    WEIGHTS,
    STATE_SIZE,
    EVICTIONS,
    SNAPSHOT_AGE,
    SNAPSHOTS,
    DRIFTS,
    FROZEN,
    WAITING,
    PREDICTIONS,
    ACCURACY,
    LEARNER_OUT,
    GROUP_HITS,
    GROUP_SHARE,
    GROUP_POPULARITY,
    GROUP_SHORT,
    FLOOR_HITS,
)
