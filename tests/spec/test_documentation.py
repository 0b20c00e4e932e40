"""What is published beside the code says what the code does."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from actgen.spec import Activation, arithmetic, grammar, load_specs, tables
from actgen.spec.schema import schema, schema_text
from actgen.spec.vocabulary import ALIASES, AXISWISE, CONSTANTS, FUNCTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "spec-format.md").read_text(encoding="utf-8")


def test_the_committed_schema_is_the_one_that_the_model_writes() -> None:
    committed = (ROOT / "docs" / "spec.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "write schema_text() of actgen.spec.schema to docs/spec.schema.json"


def test_the_schema_wants_a_reference_or_folklore() -> None:
    written = schema()
    assert written["required"] == ["title", "summary", "expression"]
    assert [choice["required"] for choice in written["oneOf"]] == [["reference"], ["folklore"]]
    assert written["additionalProperties"] is False


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_page_explains_every_function(name: str) -> None:
    least, most = FUNCTIONS[name].arity
    count = str(least) if least == most else f"{least} to {most}"
    assert f"| `{name}` | {count} | {FUNCTIONS[name].meaning} |" in PAGE


def test_the_page_explains_no_function_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:\d|\d to \d) \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", [*ALIASES, *CONSTANTS, *AXISWISE, "Piecewise"])
def test_the_page_names_every_other_word_of_an_expression(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE)


@pytest.mark.parametrize(
    ("table", "key"),
    [(table.__name__, key) for table in tables.Table.__subclasses__() for key in table.model_fields],
)
def test_the_page_explains_every_key(table: str, key: str) -> None:
    assert f"`{key}`" in PAGE
    assert issubclass(getattr(tables, table), BaseModel)


@pytest.mark.parametrize("bound", [grammar.LENGTH, grammar.TOKENS, grammar.NESTING, grammar.DEPTH, grammar.SIGNS])
def test_the_page_states_the_bounds_of_an_expression(bound: int) -> None:
    assert f"{bound:,} " in PAGE


def test_the_page_states_the_bounds_of_exponents() -> None:
    assert f"beyond {arithmetic.EXPONENT}, or with denominators over {arithmetic.DENOMINATOR:,}" in PAGE


def test_the_example_of_the_page_is_a_spec(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "swish.toml").write_text(example, encoding="utf-8")
    (swish,) = load_specs(tmp_path)
    assert isinstance(swish, Activation)
    assert swish.title == "Swish"


def test_the_error_of_the_page_is_the_error_that_is_shown(refuse: Callable[..., str]) -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    shown = refuse(example.replace("sigmoid(beta * x)", "sigmiod(beta * x)"), "swish")
    page = "\n".join(line[4:] for line in PAGE.splitlines() if line.startswith("    "))
    assert shown.replace("swish.toml", "specs/swish.toml", 1) in page


def test_every_spec_of_the_project_loads() -> None:
    assert len(load_specs(ROOT / "specs")) >= 32
