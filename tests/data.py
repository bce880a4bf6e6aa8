"""Where the real streams lie: HEADWATER_TEST_DATA, else `../shared/data` beside this folder."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_file(name: str) -> str:
    """Return the path of a data file; skip the test where it is missing, fail it in CI."""
    path = Path(os.environ.get("HEADWATER_TEST_DATA", BESIDE)) / name
    if not path.exists():
        missing = f"{path} is missing; name the folder in HEADWATER_TEST_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return str(path)
