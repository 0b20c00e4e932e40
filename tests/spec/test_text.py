import ast
import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actgen.spec.text import collapse, inert, quoted, visible, width

NASTY = [
    '"""',
    'ends in a quote"',
    '"begins with one',
    '""""""; import os #',
    "\\",
    "ends in a backslash\\",
    '\\"""',
    "\\N{BULLET} \\x \\u12",
    "two\nlines",
    "car\rriage",
    "form\x0cfeed and \x0b and \x1c\x1d\x1e and \x85 and \u2028 and \u2029",
    "right \u202e to left \u2066 isolate \u200b zero width",
    "nul \0",
    "lone \ud800 surrogate",
    "# noqa",
    "{{ jinja }} {% raw %}",
    "%s {0} $x",
]


def _survives(text: str) -> None:
    """The text stands in a docstring and in a comment, and the code around it stays what it was."""
    source = f'"""A title: {text}\n\n{text}"""\n# {text}\nx = 1  # {text}\n'
    tree = ast.parse(source)
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Assign]
    assert ast.get_docstring(tree, clean=False) == f"A title: {text}\n\n{text}"
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    assert [token.type for token in tokens].count(tokenize.COMMENT) == 2
    assert len(ast.parse(f'"""{text}"""').body) == 1


@pytest.mark.parametrize("text", NASTY)
def test_no_text_escapes_from_a_docstring_or_a_comment(text: str) -> None:
    _survives(inert(text))


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_random_text_escapes_either(text: str) -> None:
    _survives(inert(text))


@given(st.text(alphabet="\"\\\n #'\u2028x", max_size=12))
def test_no_arrangement_of_quotes_and_backslashes_escapes(text: str) -> None:
    _survives(inert(text))


@given(st.text(max_size=40))
def test_making_text_inert_twice_changes_nothing_more(text: str) -> None:
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize("text", ["Misra, D.", 'the "swish" family', "Kláma & Ünal: α → β", "it's 50 % (a, b)"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_white_space_is_collapsed() -> None:
    assert collapse("  a\n\t b \r\n") == "a b"


def test_a_line_shown_in_a_terminal_holds_no_escape_codes() -> None:
    assert visible("a\tb\x1b[31mc") == "a b\N{REPLACEMENT CHARACTER}[31mc"


def test_wide_characters_take_two_columns() -> None:
    assert width("日本x") == 5


def test_long_text_is_cut_in_messages() -> None:
    assert len(quoted("z" * 5000)) == 62
