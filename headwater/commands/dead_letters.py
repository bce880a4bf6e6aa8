"""`headwater dead-letters list|show|replay`: see what could not be used, and put it back."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from contracts import exits
from contracts.errors import InputError
from contracts.events import REASONS, REPLAYED
from contracts.settings import Settings
from headwater.commands import COMMANDS, whole
from headwater.progress import counting

if TYPE_CHECKING:
    from headwater.commands import Subparsers
    from streams.kafka.letters import Letter, Letters, Marks
    from streams.kafka.putback import Returned

LINE_BYTES = 4 << 20  # a letter of 64 KiB, its bytes as \\u0000 and its mended value beside it


def add(subparsers: "Subparsers") -> None:
    """Declare the command, its three verbs and their options."""
    parser = subparsers.add_parser("dead-letters", help=COMMANDS["dead-letters"][1])
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    list_ = verbs.add_parser("list", help="print dead letters, the newest last")
    _add_reason(list_)
    list_.add_argument(
        "--limit", type=whole, default=20, metavar="N", help="the newest N; 0 is all (default: 20)"
    )
    list_.add_argument("--json", action="store_true", help="print a line of JSON each")
    show = verbs.add_parser("show", help="print all of one dead letter")
    show.add_argument("letter", type=whole, metavar="LETTER", help="its number, as `list` shows it")
    show.add_argument("--json", action="store_true", help="print one line of JSON")
    replay = verbs.add_parser("replay", help="put messages back to their topics")
    _add_reason(replay)
    replay.add_argument(
        "--letter", type=whole, action="append", metavar="N", help="this one; may be repeated"
    )
    replay.add_argument("--all", action="store_true", help="all that were not put back before")
    replay.add_argument("--file", metavar="FILE", help="mended lines of `list --json`; - is stdin")
    replay.add_argument("--again", action="store_true", help="also what was put back before")


def _add_reason(parser: argparse.ArgumentParser) -> None:
    help_ = "only those with this reason; may be repeated"
    parser.add_argument("--reason", action="append", metavar="REASON", help=help_)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """List, show or replay; returns the exit code."""
    for reason in getattr(args, "reason", None) or ():
        if reason not in REASONS or reason == REPLAYED:
            known = ", ".join(name for name in REASONS if name != REPLAYED)
            raise InputError(f"--reason {reason}: there is none such; the reasons are {known}")
    verb = {"list": _list, "show": _show, "replay": _replay}[args.verb]
    return verb(args, settings)


def _list(args: argparse.Namespace, settings: Settings) -> int:
    from headwater import letter_lines

    if args.limit < 0:
        raise InputError(f"--limit must be 0 or more, got {args.limit}")
    with _open(settings) as letters:
        found, replayed = _survey(letters, args, args.limit or None)
        for letter in _read(letters, found):
            back = letter.number in replayed
            if args.json:
                line = msgspec.json.encode(letter_lines.as_dict(letter, back)).decode()
            else:
                line = _brief(letter, back)
            sys.stdout.write(line + "\n")
    if not found and not args.json:
        sys.stdout.write("no dead letters\n")
    return exits.OK.code


def _show(args: argparse.Namespace, settings: Settings) -> int:
    from headwater import letter_lines

    with _open(settings) as letters, counting("read", letters.end - args.letter) as tell:
        survey = letters.survey(lambda letter: letter.number == args.letter, 1, tell)
        if not survey.numbers:
            raise _none_such(letters, args.letter)
        (letter,) = letters.read(args.letter, args.letter + 1, tell)
        found = letter_lines.as_dict(letter, args.letter in survey.replayed)
    if args.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return exits.OK.code
    for name, value in found.items():
        if isinstance(value, dict):
            value = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
            sys.stdout.write(f"{name}:\n{_plain(value, keep=chr(10))}\n")
        elif name != "value_base64" or "value" not in found:
            sys.stdout.write(f"{name}: {_plain(str(value))}\n")
    return exits.OK.code


def _replay(args: argparse.Namespace, settings: Settings) -> int:
    from streams.kafka import putback

    if bool(args.file) + bool(args.reason or args.letter) + args.all != 1:
        raise InputError("say which: --reason or --letter, or --all, or --file FILE")
    with _open(settings) as letters:
        found, replayed = _survey(letters, args, None)
        for number in args.letter or ():
            if number not in found:
                raise _none_such(letters, number)
        chosen = _Chosen(replayed, args.again)
        source = _mended(args.file, chosen) if args.file else _as_came(letters, found, chosen)
        with counting("put back", None if args.file else len(found)) as tell:
            sent = putback.put_back(source, settings, tell)
    sys.stdout.write(f"{sent} messages put back\n")
    if chosen.before:
        sys.stdout.write(f"{chosen.before} had been put back before; --again sends them anyhow\n")
    if chosen.unable:
        raise InputError(f"{chosen.unable} cannot be put back, the first is {chosen.why}")
    return exits.OK.code


class _Chosen:
    """Passes over what was put back before or cannot be, and counts it."""

    def __init__(self, replayed: "Marks", again: bool) -> None:
        self.before = self.unable = 0
        self.why = ""
        self._replayed, self._again = replayed, again

    def wants(self, number: int) -> bool:
        """Return whether to send this one."""
        known = number in self._replayed and not self._again
        self.before += known
        return not known

    def cannot(self, number: int, error: Exception) -> None:
        """Count one that cannot be sent."""
        self.unable += 1
        self.why = self.why or f"letter {number}: {error}"


def _as_came(letters: "Letters", found: Any, chosen: _Chosen) -> Iterator["Returned"]:
    from headwater import letter_lines

    for letter in _read(letters, [n for n in found if chosen.wants(n)]):
        try:
            yield letter_lines.returned(letter)
        except letter_lines.CannotReturn as error:
            chosen.cannot(letter.number, error)


def _mended(path: str, chosen: _Chosen) -> Iterator["Returned"]:
    from headwater import letter_lines

    with _lines_of(path) as lines:
        number = 0
        while line := lines.readline(LINE_BYTES):
            number += 1
            if not line.strip():
                continue
            try:
                message = letter_lines.mended(line)
                if chosen.wants(message.number):
                    yield message
            except letter_lines.CannotReturn as error:
                chosen.cannot(number, error)
            except InputError as error:
                raise InputError(f"{path}, line {number}: {error}; those before it went") from None


@contextmanager
def _lines_of(path: str) -> Iterator[IO[bytes]]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - the block below closes it
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file, or - for stdin") from None
    with file:
        yield file


def _open(settings: Settings) -> "Letters":
    from streams.kafka.letters import Letters

    return Letters(settings)


def _survey(letters: "Letters", args: argparse.Namespace, most: int | None) -> tuple[Any, "Marks"]:
    reasons, numbers = args.reason or (), getattr(args, "letter", None) or ()
    every = not reasons and not numbers and not getattr(args, "file", None)

    def wanted(letter: "Letter") -> bool:
        return every or letter.body.reason in reasons or letter.number in numbers

    with counting("read", letters.end - letters.first) as tell:
        return letters.survey(wanted, most, tell)


def _read(letters: "Letters", numbers: Any) -> Iterator["Letter"]:
    """Yield the letters of these numbers, which rise."""
    if not numbers:
        return
    left = iter(numbers)
    wanted = next(left)
    for letter in letters.read(wanted, numbers[-1] + 1, lambda _: None):
        if letter.number == wanted:
            yield letter
            wanted = next(left, -1)


def _none_such(letters: "Letters", number: int) -> InputError:
    there = f"it holds {letters.first} to {letters.end - 1}" if letters.end else "it is empty"
    return InputError(
        f"dead-letters has no letter {number}; {there}: `headwater dead-letters list`"
    )


def _brief(letter: "Letter", replayed: bool) -> str:
    body = letter.body
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(letter.died))
    key = _plain((letter.key or b"").decode(errors="backslashreplace"))[:40]
    where = f"{_plain(body.topic)}/{body.partition}@{body.offset}"
    back = "  (put back)" if replayed else ""
    return f"{letter.number}  {when}Z  {body.reason}  {where}  {key}  {_plain(body.detail)}{back}"


def _plain(text: str, keep: str = "") -> str:
    """Return text that does nothing to a terminal."""
    return "".join(c if c.isprintable() or c in keep else f"\\x{ord(c):02x}" for c in text)
