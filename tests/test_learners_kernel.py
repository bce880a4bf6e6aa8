"""What is compiled is kept on disk, but never longer than its source."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import learners.kernel

CALLED = "from kernel import kernel\n\n\n@kernel\ndef called():\n    return {n}\n"
CALLER = (
    "from called import called\nfrom kernel import kernel\n\n\n"
    "@kernel\ndef caller():\n    return called()\n\n\n"
    "print(caller(), sum(caller.stats.cache_hits.values()))\n"
)
ROOT = Path(learners.kernel.__file__).parents[1]
FOLD = """
from hashlib import sha256
from tests.learners_kit import RANKERS, state, stream, teach

for name in ("fusion", "fusion-mixture"):
    teach(ranker := RANKERS[name](), stream(2_000, 50, 200))
    print([sha256(part).hexdigest() for part in state(ranker).values()])
"""


def test_a_kernel_is_kept_until_what_it_calls_changes(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(Path(learners.kernel.__file__).read_text())
    (tmp_path / "caller.py").write_text(CALLER)
    answers = []
    for n in (1, 1, 2):
        (tmp_path / "called.py").write_text(CALLED.format(n=n))
        run = [sys.executable, "caller.py"]
        answers.append(subprocess.check_output(run, cwd=tmp_path, text=True).split())
    assert answers == [["1", "0"], ["1", "1"], ["2", "0"]]


@pytest.mark.long  # it compiles every kernel of the fold anew
def test_a_process_that_compiles_and_one_that_reads_fold_to_the_last_bit_alike(
    tmp_path: Path,
) -> None:
    environ = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    compiled, read = (
        subprocess.check_output([sys.executable, "-c", FOLD], cwd=ROOT, env=environ, text=True)
        for _ in range(2)
    )
    assert compiled == read
