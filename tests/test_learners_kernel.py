"""What is compiled is kept on disk, but never longer than its source."""

import subprocess
import sys
from pathlib import Path

import learners.kernel

CALLED = "from kernel import kernel\n\n\n@kernel\ndef called():\n    return {n}\n"
CALLER = (
    "from called import called\nfrom kernel import kernel\n\n\n"
    "@kernel\ndef caller():\n    return called()\n\n\n"
    "print(caller(), sum(caller.stats.cache_hits.values()))\n"
)


def test_a_kernel_is_kept_until_what_it_calls_changes(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(Path(learners.kernel.__file__).read_text())
    (tmp_path / "caller.py").write_text(CALLER)
    answers = []
    for n in (1, 1, 2):
        (tmp_path / "called.py").write_text(CALLED.format(n=n))
        run = [sys.executable, "caller.py"]
        answers.append(subprocess.check_output(run, cwd=tmp_path, text=True).split())
    assert answers == [["1", "0"], ["1", "1"], ["2", "0"]]
