"""The house: imports point one way, modules are small and do nothing when imported."""

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("headwater", "streams", "serving", "learners", "state", "contracts", "benchmarks")
MAX_LINES = 300
HEAVY = ("river", "numba", "nicegui", "faust", "aiokafka", "redis", "pandas")
# Written in pieces, so that this file does not hold what it looks for.
BANNED = {
    "a machine's path": r"(?<![\w.])/(wo" + r"rk|ro" + r"ot)(/|\b)",
    "a package registry": r"py" + r"pi\.|python" + r"hosted|repo1?\.mav" + r"en",
    "a writing tool": r"(?i)cla"
    + r"ude|anthro"
    + r"pic|open"
    + r"ai\b|copi"
    + r"lot|\bchat"
    + r"gpt",
}


def tracked() -> list[Path]:
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def modules() -> list[str]:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def test_imports_point_one_way() -> None:
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports; exit(lint_imports())"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_learners_knows_river_and_only_state_knows_redis() -> None:
    graph = grimp.build_graph(
        *FOLDERS,
        include_external_packages=True,
        exclude_type_checking_imports=True,
        cache_dir=None,
    )

    def users(library: str) -> set[str]:
        return {name.split(".")[0] for name in graph.find_modules_that_directly_import(library)}

    assert users("river") <= {"learners", "benchmarks"}, "a bench may stand beside its peers"
    assert users("redis") <= {"state", "benchmarks"}, "a bench may stand beside its peers"
    assert "learners" not in users("kafka") | users("faust") | users("aiokafka")


def test_no_import_goes_round_in_a_circle() -> None:
    graph = grimp.build_graph(*FOLDERS, cache_dir=None)  # imports for types only included
    done: set[str] = set()
    path: list[str] = []

    def walk(module: str) -> None:
        assert module not in path, f"{' imports '.join([*path, module])}"
        if module in done:
            return
        path.append(module)
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            walk(imported)
        done.add(path.pop())

    for module in sorted(graph.modules):
        walk(module)


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_no_file_is_longer_than_can_be_read(folder: str) -> None:
    files = [file for file in tracked() if file.relative_to(ROOT).parts[0] == folder]
    lines = {f.name: len(f.read_text().splitlines()) for f in files if f.suffix == ".py"}
    assert {name: n for name, n in lines.items() if n > MAX_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    files = [file for file in tracked() if file.suffix == ".py"]
    assert [f.name for f in files if not ast.get_docstring(ast.parse(f.read_text()))] == []


@pytest.mark.parametrize("what", BANNED)
def test_nothing_names_what_is_no_part_of_the_project(what: str) -> None:
    found = []
    for file in tracked():
        data = file.read_bytes()
        if b"\0" not in data:
            text = data.decode(errors="replace")
            found += [f"{file.relative_to(ROOT)}: {m[0]}" for m in re.finditer(BANNED[what], text)]
    assert found == []


IMPORT_ALL = """
import importlib, json, os, signal, sys, threading
libraries, modules = json.loads(sys.argv[1])
for name in libraries:
    importlib.import_module(name)  # what these do is theirs
effects, ours = [], tuple(f"{{os.sep}}{{f}}{{os.sep}}" for f in {folders!r})
def watch(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        if "__pycache__" not in str(args[0]):
            effects.append([event, str(args[0])])
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork",
                           "os.putenv", "os.mkdir", "os.remove", "os.rename", "shutil.")):
        if "__pycache__" not in str(args):
            effects.append([event, repr(args)[:100]])
before = (dict(os.environ), threading.active_count(), [signal.getsignal(s) for s in (2, 15)])
sys.addaudithook(watch)
for name in modules:
    effects.append(["import", name])
    importlib.import_module(name)
after = (dict(os.environ), threading.active_count(), [signal.getsignal(s) for s in (2, 15)])
guilty = [b for a, b in zip(effects, effects[1:]) if b[0] != "import"]
print(json.dumps([guilty, [str(a) for a, b in zip(before, after) if a != b]]))
"""


def test_importing_a_module_has_no_effect() -> None:
    libraries = sorted(third_party())
    code = IMPORT_ALL.format(folders=FOLDERS)
    run = [sys.executable, "-W", "ignore", "-c", code, json.dumps([libraries, modules()])]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[], []], "nothing is opened, started, changed or printed"


def third_party() -> set[str]:
    """Return every library's module that some module of ours names in an import."""
    found: set[str] = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module)
    return {name for name in found if name.split(".")[0] not in FOLDERS}


def test_the_command_line_starts_without_heavy_libraries() -> None:
    code = "import sys, json, headwater.cli; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))
    assert [name for name in HEAVY if name in loaded] == []


@pytest.mark.parametrize("name", [m for m in modules() if not m.startswith("benchmarks")])
def test_every_example_in_a_docstring_is_true(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
