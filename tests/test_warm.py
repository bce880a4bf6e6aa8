"""What is warm before the first event."""

from contracts.settings import Settings
from streams.interactions.warm import warm


def test_warming_calls_every_step_of_a_worker_and_leaves_no_trace() -> None:
    warm()
    warm(Settings(repeats="never", list_length=3))
