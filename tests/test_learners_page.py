"""docs/learners.md runs from top to bottom and prints what it says, as in one notebook."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "learners.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


def notebook(text: str) -> doctest.DocTest:
    """Return all blocks of Python as one doctest whose lines are numbered as in the page."""
    parser, examples = doctest.DocTestParser(), list[doctest.Example]()
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for example in parser.get_examples(block[1]):
            example.lineno += first
            examples.append(example)
    return doctest.DocTest(examples, {"__name__": "notebook"}, PAGE.name, str(PAGE), 0, text)


def said(text: str) -> str:
    """Return what differs when a page is run; nothing where it tells the truth."""
    differences: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(notebook(text), out=differences.append)
    return "".join(differences)


def test_the_page_of_the_learners_runs_and_prints_what_it_says() -> None:
    if differences := said(PAGE.read_text(encoding="utf-8")):
        pytest.fail(differences, pytrace=False)


def test_every_block_of_code_is_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```") / 2
    assert [block for block in blocks if not block.startswith(">>> ")] == []


def test_blocks_share_their_names_and_a_difference_is_found_at_its_line() -> None:
    text = "Set.\n\n```python\n>>> n = 2\n```\n\nAsk.\n\n```python\n>>> n + 1\n{}\n```\n"
    assert said(text.format(3)) == ""
    assert f'File "{PAGE}", line 10, in {PAGE.name}' in said(text.format(4))
