"""`headwater worker` under chaos: its clock can jump, and a bug may have been planted.

python -m benchmarks.chaos.worker CLOCK [BUG]

The settings come from the environment, as always.
"""

import sys
from pathlib import Path

from benchmarks.chaos import clock
from headwater import cli


def main(file: str, bug: str = "") -> int:
    """Run a worker and return its exit code."""
    clock.follow(Path(file))
    if bug:
        from benchmarks.chaos.planted import plant

        plant(bug)
    return cli.main(["worker"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
