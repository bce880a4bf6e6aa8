"""How many records one call of a shard takes: as many as it folds in some milliseconds.

Learners cost from 1 µs an event to 1 ms, and a call holds the event loop for as long as it lasts.
What is learned does not depend on where batches are cut.
"""

from streams.shards import MAX_BATCH

LONGEST_S = 0.015  # two such calls may follow each other before the loop looks around
FIRST = 100
FEWEST = 32  # fewer tell more of the call itself than of its events


class BatchSize:
    """The size of a shard's next batch; follows what the last ones took.

    >>> size = BatchSize()
    >>> size.took(100, 0.001)
    >>> size.records
    200
    >>> size.took(200, 0.06)
    >>> size.records
    50
    """

    def __init__(self) -> None:
        self.records = FIRST

    def took(self, records: int, seconds: float) -> None:
        """Learn that a call folded so many records in so long."""
        if records < min(FEWEST, self.records) and seconds < LONGEST_S:
            return
        fitting = records * LONGEST_S / max(seconds, 1e-9)
        self.records = int(min(max(fitting, 1), 2 * self.records, MAX_BATCH))
