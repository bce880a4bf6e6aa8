"""Writes a settings file with a new secret that signs snapshots, unless the file is there.

    python deploy/make_key.py FILE

The environment wins over the file: with HEADWATER_SNAPSHOT_KEY set the file's key is not used.
"""

import os
import secrets
import sys
from pathlib import Path


def main(path: Path) -> int:
    """Make the file, readable by its owner alone; a file that is there stays as it is."""
    part = path.with_suffix(".part")
    if not path.exists():
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - the mode must be right from the first moment
            file.write(f'snapshot_key = "{secrets.token_hex(32)}"\n')
        part.rename(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
