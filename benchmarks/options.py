"""The options that the benchmarks share, and the data's folder."""

import argparse
import os
from pathlib import Path
from typing import get_args

from contracts.errors import InputError
from contracts.settings import TYPES

CLICKS = Path("rsc15-100k/clicks.csv.gz")
REPEATS = get_args(get_args(TYPES["repeats"])[0])  # what the setting can be
RATINGS = Path("movietweetings-100k/ratings.csv.gz")
FILMS = Path("movietweetings-100k/movies.csv.gz")


def parser(name: str, about: str) -> argparse.ArgumentParser:
    """Return a parser that knows `--rounds`, `--data` and `--into`."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    made.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds (default: 5)")
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get("HEADWATER_DATA") or Path("../shared/data"),
        help="folder of the published streams (default: HEADWATER_DATA or ../shared/data)",
    )
    made.add_argument(
        "--into", type=Path, metavar="FILE", help="put the report between its marks in FILE"
    )
    return made


def file(data: Path, name: Path) -> str:
    """Return the path of one stream.

    Raises:
        InputError: it is not there.
    """
    path = Path(data) / name
    if not path.is_file():
        raise InputError(
            f"{path} is not there; say --data DIR or HEADWATER_DATA=DIR, the folder that holds "
            f"{name.parent}/ (the data is published elsewhere and not part of this repository)"
        )
    return str(path)
