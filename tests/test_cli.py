"""The command line: quick, one line for each mistake, and an exit code that says which."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts import errors, exits, settings
from headwater import cli
from headwater.commands import COMMANDS


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Return a function that installs a command `try` which does what it is given."""
    monkeypatch.chdir(tmp_path)

    def install(run: Any) -> None:
        module = SimpleNamespace(add=lambda sub: sub.add_parser("try"), run=run)
        monkeypatch.setitem(COMMANDS, "try", ("tests.the_try_command", "a test"))
        monkeypatch.setitem(sys.modules, "tests.the_try_command", module)

    return install


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, headwater.cli; code = headwater.cli.main(['--help'])\n"
        "heavy = {'river', 'numba', 'faust', 'kafka', 'redis', 'nicegui', 'numpy', 'rich'}\n"
        "sys.exit(code or ', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n    {name}" in done.stdout for name in COMMANDS)


def test_a_command_gets_its_arguments_and_its_code_is_handed_on(command: Any) -> None:
    command(lambda _args, settings: 0 if settings.list_length == 20 else 1)
    assert cli.main(["try"]) == 0


@pytest.mark.parametrize(
    "kind",
    [errors.HeadwaterError, *errors.HeadwaterError.__subclasses__()],
    ids=lambda k: k.__name__,
)
def test_an_error_is_one_line_and_its_exit_code(
    kind: type[errors.HeadwaterError], command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_args: Namespace, _settings: Any) -> int:
        raise kind("what, where,\n what to do now")

    command(run)
    assert cli.main(["try"]) == kind.exit_code
    assert capsys.readouterr().err == "headwater: what, where, what to do now\n"


def test_ctrl_c_is_exit_code_130_without_a_traceback(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_args: Namespace, _settings: Any) -> int:
        raise KeyboardInterrupt

    command(run)
    assert cli.main(["try"]) == exits.INTERRUPTED.code
    assert capsys.readouterr().err == ""


def test_a_fault_of_ours_is_not_hidden(command: Any) -> None:
    command(lambda _args, _settings: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_a_command_whose_module_is_absent_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "try", ("headwater.commands.nowhere", "a test"))
    assert cli.main(["try"]) == exits.USAGE.code
    assert "'try' is not part of this build" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["status", "--nonsense"]])
def test_a_wrong_command_line_is_exit_code_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(argv) == exits.USAGE.code
    assert "usage: headwater" in capsys.readouterr().err


def test_a_wrong_setting_is_one_line_and_exit_code_10(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADWATER_LIST_LENGTH", "five")
    assert cli.main(["settings"]) == exits.SETTINGS.code
    err = capsys.readouterr().err
    assert err.startswith(
        "headwater: HEADWATER_LIST_LENGTH must be int ≥ 1 and ≤ 96 (items in a list)"
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PREDICTORS", "elec", "'elec' has no ="),
        ("PREDICTORS", "a=b:c, elec", "'elec' has no ="),
        ("PREDICTORS", "=b:c", "lacks a name or a value"),
        ("PREDICTORS", "elec=", "lacks a name or a value"),
        ("HISTORY_LENGTH", "0", "must be int ≥ 1 and ≤ 255"),
        ("REFRESH_AFTER_S", "0", "must be float > 0"),
        ("SNAPSHOT_KEY", "x", "fewer than 16 characters; make one with `openssl rand -hex 32`"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_wrong(name: str, value: str, problem: str) -> None:
    with pytest.raises(errors.SettingsError) as found:
        settings.read({f"HEADWATER_{name}": value})
    assert problem in str(found.value)


def test_no_predictors_and_pairs_with_spaces_are_both_fine() -> None:
    assert settings.read({"HEADWATER_PREDICTORS": ""}).predictors == {}
    read = settings.read({"HEADWATER_PREDICTORS": " a = b:c , d=e:f,"}).predictors
    assert read == {"a": "b:c", "d": "e:f"}


def test_settings_come_with_their_origin_and_secrets_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    (tmp_path / "my.toml").write_text("list_length = 7\n")
    monkeypatch.setenv("HEADWATER_CONFIG", str(tmp_path / "my.toml"))
    monkeypatch.setenv("HEADWATER_SNAPSHOT_KEY", "open sesame, sesame")
    monkeypatch.setenv("HEADWATER_REDIS", "redis://me:sesame@127.0.0.1:1/0")
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    assert cli.main(["settings"]) == 0
    out = capsys.readouterr().out
    assert "sesame" not in out
    assert "'***'  (environment)" in out
    assert "'redis://***@127.0.0.1:1/0'  (environment)" in out
    assert f"7  ({tmp_path}/my.toml)" in out
    assert "'127.0.0.1:9092'  (default)" in out


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["demo", "--seconds", "abc"], "--seconds: must be a number above 0, got abc"),
        (["demo", "--rate", "0"], "--rate: must be a number above 0, got 0"),
        (["demo", "--page-port", "99999"], "--page-port: must be from 0 to 65535, got 99999"),
        (["page", "--port", "-1"], "--port: must be from 0 to 65535, got -1"),
        (["page", "--port", "web"], "--port: must be from 0 to 65535, got web"),
        (["replay", "x.csv", "--limit", "all"], "--limit: must be a whole number, got all"),
    ],
)
def test_an_option_that_is_no_such_number_is_said_in_words(
    argv: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(argv) == exits.USAGE.code
    assert f"argument {problem}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "name a file that can be read"),
        ("when,what\n1,2\n", "has no column 'user'"),
        ("ts,user,item\n", "no rows"),
        ("ts,user,item\nnoon,ann,tea\n", "row 1"),
    ],
)
def test_a_demo_refuses_a_wrong_file_before_it_starts_anything(
    text: str | None,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    path = tmp_path / "clicks.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert cli.main(["demo", "--data", str(path)]) == exits.USAGE.code
    said = capsys.readouterr()
    assert problem in said.err
    assert said.out == ""
    assert not (tmp_path / "home").exists()
