"""The tables of docs/operate.md and docs/pipeline.md, made from the code's own tables.

A table begins behind the line `<!-- table: NAME -->` and ends at the first line without a bar.
`python -m tests.docs_tables` writes all of them anew; the test says which line differs.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from contracts import events, exits, keys, metrics, settings, topics
from headwater.commands import COMMANDS
from tests import docs_pipeline

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS / "operate.md", DOCS / "pipeline.md"]
MARK = re.compile(r"<!-- table: (\w+) -->")
DAY_S = 86_400
Rows = Sequence[tuple[str, ...]]


def settings_rows() -> Rows:
    """Return name, variable, type with bounds, default and meaning of each setting."""
    head = [("setting", "environment", "type", "default", "meaning")]
    return head + [_setting(name) for name in settings.TYPES]


def _setting(name: str) -> tuple[str, ...]:
    type_, meaning = settings.describe(name)
    default = getattr(settings.Settings(), name)
    return (
        f"`{name}`",
        f"`{settings.PREFIX}{name.upper()}`",
        type_,
        _code(f"{default:.15g}" if isinstance(default, float) else default),
        meaning,
    )


def metric_rows() -> Rows:
    """Return name as Prometheus sees it, kind, labels and meaning of each metric."""
    return [
        ("metric", "kind", "labels", "meaning"),
        *((f"`{shown(m)}`", m.kind, _codes(m.labels), m.holds) for m in metrics.METRICS),
    ]


def shown(metric: metrics.Metric) -> str:
    """Return a metric's name as it is exposed."""
    return metric.name + ("_total" if metric.kind == "counter" else "")


def topic_rows() -> Rows:
    """Return each topic with what its keys are, its layout and what it holds."""
    head = [("topic", "key", "partitions", "cleanup", "record time", "holds")]
    return head + [
        (
            f"`{topic.name}`",
            topic.key or "none",
            str(topic.partitions or "`partitions`"),
            _cleanup(topic),
            "broker's" if topic.append_time else "producer's",
            topic.holds,
        )
        for topic in topics.TOPICS
    ]


def _cleanup(topic: topics.Topic) -> str:
    if topic.cleanup != "delete":
        return topic.cleanup
    if topic.retention_ms < 0:
        return "never"
    return f"delete after {topic.retention_ms // topics.DAY_MS} days"


def key_rows() -> Rows:
    """Return each Redis key with its default prefix, type, age and what it holds."""
    prefix = settings.Settings().key_prefix
    return [
        ("key", "type", "age", "holds"),
        *((f"`{prefix}{key.pattern}`", key.kind, _age(key.age_s), key.holds) for key in keys.KEYS),
    ]


def _age(seconds: int) -> str:
    days, hours = divmod(seconds // 3_600, 24)
    return f"{days} day{'s' * (days > 1)}" if days else f"{hours} h"


def exit_rows() -> Rows:
    """Return code, meaning and remedy of each exit code."""
    head = [("code", "meaning", "what to do")]
    return head + [(str(e.code), e.meaning, e.remedy) for e in exits.EXITS]


def reason_rows() -> Rows:
    """Return each reason for a dead letter."""
    return [("reason", "meaning"), *((f"`{r}`", said) for r, said in events.REASONS.items())]


def command_rows() -> Rows:
    """Return each command and what it does, then its arguments and options."""
    rows: list[tuple[str, ...]] = [("command", "argument or option", "what it does")]
    for name, (_, does) in COMMANDS.items():
        rows.append((f"`headwater {name}`", "", does))
        for words, parser in parsers(name):
            rows += [(f"`headwater {words}`", f"`{o}`", said) for o, said in _options(parser)]
    return rows


def parsers(name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield a command with its parser, then each of its verbs, if it has some."""
    whole = command_parser(name)
    yield name, whole
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from ((f"{name} {verb}", parser) for verb, parser in action.choices.items())


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from ((verb.dest, verb.help or "") for verb in action._choices_actions)
            continue
        if isinstance(action, argparse._HelpAction):
            continue
        value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
        if action.choices:
            value = " " + " or ".join(map(str, action.choices))
        title = ", ".join(action.option_strings)
        yield (f"{title}{value}" if title else value.strip()), action.help or ""


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command."""
    subparsers = argparse.ArgumentParser(prog="headwater").add_subparsers()
    import_module(COMMANDS[name][0]).add(subparsers)
    parser: argparse.ArgumentParser = subparsers.choices[name]
    return parser


def _code(value: object) -> str:
    if value in ("", {}):
        return "empty"
    return f"`{value}`"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


TABLES: dict[str, Callable[[], Rows]] = {
    "settings": settings_rows,
    "metrics": metric_rows,
    "topics": topic_rows,
    "keys": key_rows,
    "exits": exit_rows,
    "reasons": reason_rows,
    "commands": command_rows,
    "pipeline": docs_pipeline.key_rows,
    "actions": docs_pipeline.action_rows,
}


def page(name: str) -> str:
    """Return the text of the document that holds a table."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    (text,) = (text for text in texts if f"<!-- table: {name} -->" in text)
    return text


def lines(name: str) -> list[str]:
    """Return a table as the lines of Markdown that must stand in the document."""
    head, *rows = TABLES[name]()
    return [_line(head), _line(("---",) * len(head)), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def found(text: str, name: str) -> dict[int, str]:
    """Return the lines of a table in a document, by their number; empty if it is not there."""
    numbered = list(enumerate(text.splitlines(), 1))
    marks = [at for at, line in numbered if line == f"<!-- table: {name} -->"]
    table: dict[int, str] = {}
    for at, line in numbered[marks[0] :] if marks else []:
        if not line.startswith("|"):
            break
        table[at] = line
    return table


def written(text: str) -> str:
    """Return a document with every table made anew."""
    out: list[str] = []
    inside = False
    for line in text.splitlines():
        inside = inside and line.startswith("|")
        if not inside:
            out.append(line)
        if mark := MARK.fullmatch(line):
            out += lines(mark[1])
            inside = True
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    for document in PAGES:
        document.write_text(written(document.read_text(encoding="utf-8")), encoding="utf-8")
