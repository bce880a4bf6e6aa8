"""Every key of a TOML document has its line."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from contracts import toml_lines
from contracts.pipeline import (
    Pipeline,
)
from tests import pipelines


@given(pipelines.pipelines, st.data())
def test_every_key_of_a_file_is_found_on_a_line_that_names_it(
    made: Pipeline, data: st.DataObject
) -> None:
    text = pipelines.written(made, data.draw)
    rows = text.splitlines()
    found = toml_lines.lines(text)
    assert set(found) == set(toml_lines._keys(tomllib.loads(text)))
    for key, line in found.items():
        assert pipelines.quoted(key[-1]) in rows[line - 1]


CONFUSING = """a = \"\"\"
[x]
b = 1 \\\"\"\"\"
c = '''
"'''
"d#" = "#[" # ]
[[e]]
f = [
{g = 1},
]
h=1"""


def test_a_line_is_found_behind_strings_that_look_like_toml() -> None:
    lines = {("a",): 1, ("c",): 4, ("d#",): 6, ("e",): 7, ("e", "f"): 8, ("e", "h"): 11}
    assert toml_lines.lines(CONFUSING) == lines


def test_a_key_that_stands_nowhere_is_sought_around_it() -> None:
    found = toml_lines.lines("\n[a]\n")
    assert toml_lines.nearest(found, ("a", "b")) == 2
    assert toml_lines.nearest(found, ("c",)) == 1
