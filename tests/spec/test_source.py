import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actgen.spec.source import KeyPath, Source

DOCUMENT = """\
# Märchen
title = "日本"  # comment
"quoted key" = 1
site."a.b".'c' = 2

[parameters.beta]
default = 1.5
list = [1, # one
  [2, 3],
]
inline = {a = "x", "b c" = {d = true}}

[[rows]]
n = 1
[[rows]]
n = 2
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("title",), "title", '"日本"'),
        (("quoted key",), '"quoted key"', "1"),
        (("site", "a.b", "c"), "'c'", "2"),
        (("parameters",), "parameters", "parameters"),
        (("parameters", "beta"), "beta", "beta"),
        (("parameters", "beta", "default"), "default", "1.5"),
        (("parameters", "beta", "list", 0), "list", "1"),
        (("parameters", "beta", "list", 1, 1), "list", "3"),
        (("parameters", "beta", "inline", "a"), "a", '"x"'),
        (("parameters", "beta", "inline", "b c", "d"), "d", "true"),
        (("rows", 0, "n"), "n", "1"),
        (("rows", 1, "n"), "n", "2"),
        (("parameters", "beta", "absent"), "beta", "beta"),
    ],
)
def test_keys_and_values_are_found_where_they_stand(path: KeyPath, key: str, value: str) -> None:
    source = Source.read("probe.toml", DOCUMENT)
    key_span, value_span = source.key(path), source.value(path)
    assert key_span is not None
    assert value_span is not None
    assert (DOCUMENT[slice(*key_span)], DOCUMENT[slice(*value_span)]) == (key, value)


def _paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inner for found in _paths(child, (*path, key)))]


def test_everything_that_tomllib_reads_has_a_place() -> None:
    source = Source.read("probe.toml", DOCUMENT)
    assert [path for path in _paths(tomllib.loads(DOCUMENT))[1:] if source.key(path) is None] == []


_KINDS = {"basic": '"{}"', "literal": "'{}'", "long": '"""{}"""', "long literal": "'''{}'''", "indented": '"""\n{}"""'}


@given(st.sampled_from(sorted(_KINDS)), st.text("xé日 +\\\"'\n\tu0041", max_size=12))
def test_each_character_of_a_string_is_found_in_the_file(kind: str, body: str) -> None:
    text = "é = 1\nvalue = " + _KINDS[kind].format(body) + "\n"
    try:
        value = tomllib.loads(text)["value"]
    except tomllib.TOMLDecodeError:
        return
    source = Source.read("probe.toml", text)
    for index, character in enumerate(value):
        span = source.inside(("value",), value, (index, index + 1))
        assert span is not None
        written = text[slice(*span)]
        # An escape stands for its character; behind a backslash at a line's end, the character stands first or last.
        assert character in written or written.startswith("\\")
        assert character in text[span[0]] or text[span[0]] == "\\"


def test_an_escape_is_underlined_whole() -> None:
    source = Source.read("probe.toml", r'value = "a\u0062c"')
    span = source.inside(("value",), "abc", (1, 2))
    assert span is not None
    assert source.text[slice(*span)] == r"\u0062"


def test_the_end_of_a_string_is_its_closing_quote() -> None:
    source = Source.read("probe.toml", "value = 'ab'")
    assert source.inside(("value",), "ab", (2, 2)) == (11, 12)
