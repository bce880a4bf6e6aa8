"""The documents say what the code says: tables, names, commands, links, examples."""

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts import events, exits, metrics, settings
from contracts.settings import Settings
from headwater.commands import COMMANDS
from streams.interactions.unit import Interactions
from streams.predictions.unit import PredictorsUnit
from streams.shards import Batch, Effects, NoTelemetry, PlainRecord, Ticking
from tests import docs_tables

ROOT = Path(__file__).parents[1]
OPERATE = ROOT / "docs" / "operate.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *DECISIONS]
NOT_SETTINGS = {
    "HEADWATER_CONFIG",
    "HEADWATER_TEST_KAFKA",
    "HEADWATER_TEST_REDIS",
    "HEADWATER_DATA",
}
JSON = re.compile(r"<!-- json: ([\w-]+) -->\n```json\n(.*?)```", re.S)
TS = 1_735_689_600.0


def documents() -> pytest.MarkDecorator:
    """Run a test on each document."""
    return pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@pytest.mark.parametrize("name", docs_tables.TABLES)
def test_a_table_says_what_the_code_says(name: str) -> None:
    wanted = docs_tables.lines(name)
    found = docs_tables.found(docs_tables.page(name), name)
    missing = [f"missing: {line}" for line in wanted if line not in found.values()]
    extra = [f"line {at}: {line}" for at, line in found.items() if line not in wanted]
    assert missing + extra == [], "run `python -m tests.docs_tables`"
    assert list(found.values()) == wanted, "the order differs; run `python -m tests.docs_tables`"


def test_a_line_that_differs_is_named() -> None:
    text = docs_tables.written("<!-- table: exits -->\n").replace("| 0 | done |", "| 0 | did |")
    assert docs_tables.found(text, "exits")[4] == "| 0 | did | nothing |"
    assert docs_tables.written(text) == docs_tables.written("<!-- table: exits -->\n")


@documents()
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        there = (path.parent / name) if name else path
        assert there.exists(), f"{path.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{path.name}: {target}"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@documents()
def test_files_that_are_named_exist(path: Path) -> None:
    named = re.findall(
        r"`((?:\w+/)+[\w.]+\.\w+|\w+\.(?:py|yml))`", path.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_reading_order_tells_how_a_worker_starts() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.split(r"^\d+\. ", text.partition("## From event to answer")[2], flags=re.M)
    (step,) = (step for step in steps if step.startswith("How a worker starts"))
    rooms = ["headwater/commands/worker.py", "streams/run.py", "streams/worker/startup.py"]
    assert re.findall(r"`([^`]+)`", step) == [*rooms, "streams/app.py"]


@documents()
def test_variables_and_metrics_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {settings.PREFIX + name.upper() for name in settings.TYPES} | NOT_SETTINGS
    assert set(re.findall(r"HEADWATER_[A-Z_]+[A-Z]", text)) - known == set()
    exposed = {docs_tables.shown(metric) for metric in metrics.METRICS}
    assert set(re.findall(r"headwater_[a-z_]+[a-z]", text)) - exposed == set()


@documents()
def test_commands_and_their_options_exist(path: Path) -> None:
    for words in commands(path.read_text(encoding="utf-8")):
        if words[0] == "COMMAND":
            continue
        assert words[0] in COMMANDS, f"{path.name}: headwater {words[0]}"
        known = {o for _, p in docs_tables.parsers(words[0]) for o in p._option_string_actions}
        unknown = [word for word in words if word.startswith("--") and word not in known]
        assert unknown == [], f"{path.name}: headwater {' '.join(words)}"


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words behind each `headwater` in code."""
    blocks = re.findall(r"```(?:bash)?\n(.*?)```", text, re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    for line in [*spans, *(line for block in blocks for line in block.splitlines())]:
        found = re.search(r"(?:^|\s)headwater ([a-zC].*)", line)
        if found and "─" not in line:
            yield shlex.split(found[1])


@documents()
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.M)
    assert set(named) - targets == set()


@documents()
def test_exit_codes_that_are_named_exist(path: Path) -> None:
    named = re.findall(r"exit code (\d+)", path.read_text(encoding="utf-8"))
    assert {int(code) for code in named} <= {code.code for code in exits.EXITS}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_is_short_and_names_its_price(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert re.findall(r"^## (\w+)$", text, re.M) == ["Context", "Choice", "Price"]
    assert text.startswith(f"# {path.name[:4]} ")


def examples() -> dict[str, Any]:
    """Return the examples of docs/operate.md by name."""
    return {name: json.loads(text) for name, text in JSON.findall(OPERATE.read_text("utf-8"))}


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("interactions", events.Interaction),
        ("users", events.User),
        ("features", events.Features),
        ("labels", events.Label),
    ],
)
def test_an_example_to_write_has_all_fields_and_is_accepted(
    name: str, struct: type[msgspec.Struct]
) -> None:
    example = examples()[name]
    assert set(example) == set(struct.__struct_fields__)
    msgspec.convert(example, struct)


@pytest.mark.parametrize("name", ["rec", "sim", "top", "dead-letters", "drifts"])
def test_an_example_to_read_looks_like_what_is_written(name: str) -> None:
    assert shape(examples()[name]) == shape(written()[name])


def test_the_example_of_a_prediction_looks_like_what_is_written() -> None:
    made: list[bytes] = []

    async def send(commands: list[bytes]) -> None:
        made.extend(commands)

    unit = PredictorsUnit(
        Settings(predictors={"elec": "learners.examples:elec"}), NoTelemetry(), send
    )
    asked = {"predictor": "elec", "id": "1", "x": {"price": 1.0}, "ts": TS}
    effects = unit.open(0).handle(Batch("features", 0, [record(0, asked)]))
    asyncio.run(published(unit, [effects]))
    example = examples()["pred"]
    assert shape(example) == shape(values(made)["hw:pred:elec:1"])
    assert set(example) - {"because"} == set(json.loads(effects.messages[0].value or b""))


@cache
def written() -> dict[str, Any]:
    """Return one value of each kind as a worker writes it: tea and jam, a change, a bad message."""
    made: list[bytes] = []

    async def send(commands: list[bytes]) -> None:
        made.extend(commands)

    unit = Interactions(Settings(partitions=1), NoTelemetry(), send, send)
    shard = unit.open(0)
    items = ["tea", "jam"] * 1000 + [f"new-{n}" for n in range(1000)]
    rows: list[dict[str, Any]] = [
        {"event_id": str(n), "user": "ann", "item": item, "action": "view", "ts": TS + n}
        for n, item in enumerate(items)
    ]
    rows.append({"user": "ann"})
    records = [record(n, row) for n, row in enumerate(rows)]
    cuts = range(0, len(records), 500)
    effects = [shard.handle(Batch("interactions", 0, records[at : at + 500])) for at in cuts]
    asyncio.run(published(unit, effects))
    found = values(made)
    sent = {m.topic: json.loads(m.value or b"") for e in effects for m in e.messages}
    return {"rec": found["hw:rec:ann"], "sim": found["hw:sim:tea"], "top": found["hw:top"], **sent}


async def published(unit: object, effects: list[Effects]) -> None:
    """Publish what batches have made, then what is made from time to time."""
    for effect in effects:
        if effect.publish is not None:
            await effect.publish()
    if isinstance(unit, Ticking):
        await unit.tick()


def record(offset: int, value: dict[str, Any]) -> PlainRecord:
    """Return a record that comes late enough for its event."""
    return PlainRecord(offset, int((TS + 10_000) * 1000), json.dumps(value).encode(), b"ann")


def values(made: list[bytes]) -> dict[str, Any]:
    """Return the JSON values that packed SET commands write, by key."""
    words = [command.split(b"\r\n") for command in made]
    return {w[4].decode(): json.loads(w[6]) for w in words if w[2] == b"SET"}


def shape(value: Any) -> Any:
    """Return the names and types in a JSON value; of a list those of its first element."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return "number" if type(value) in (int, float) else type(value).__name__
