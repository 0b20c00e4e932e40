"""`actgen new`: a spec from a formula."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actgen.build import InputError
from actgen.scaffold import _quoted, create, find_blanks, free_names
from actgen.spec import SpecError, load_spec


def test_what_is_made_is_a_spec_of_that_formula(tmp_path: Path) -> None:
    made = create(tmp_path / "specs/my_act.toml", expression="x * tanh(beta * x)**2 + alpha")
    assert made.parameters == ("beta", "alpha")
    activation = load_spec(tmp_path / "specs/my_act.toml")
    assert activation.expression_text == "x * tanh(beta * x)**2 + alpha"
    assert [parameter.name for parameter in activation.parameters] == ["beta", "alpha"]
    assert activation.title == "My act"


def test_every_blank_is_marked_and_told(tmp_path: Path) -> None:
    made = create(tmp_path / "my_act.toml", expression="beta * x")
    lines = (tmp_path / "my_act.toml").read_text().splitlines()
    told = "\n".join(text for _, text in made.blanks)
    for what in ("title", "summary", "default", "description", "domain", "published"):
        assert what in told
    assert all(lines[number - 1].strip() == text for number, text in made.blanks)


def test_a_title_that_is_given_is_no_blank(tmp_path: Path) -> None:
    made = create(tmp_path / "my_act.toml", expression="x", title='The "best" \\ ever')
    assert load_spec(tmp_path / "my_act.toml").title == 'The "best" \\ ever'
    assert not [text for _, text in made.blanks if text.startswith("title")]


def test_the_reference_that_is_outlined_is_one_once_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "my_act.toml"
    create(path, expression="beta * x")
    text = path.read_text().replace("\nfolklore = true\n", "\n")
    head, tail = text.split("# [reference]")
    body, rest = tail.split("\n\n", 1)
    table = "[reference]" + body.replace("\n# ", "\n").replace('"..."', '"A paper"')
    path.write_text(f"{head}{table}\n\n{rest}")
    reference = load_spec(path).reference
    assert reference is not None
    assert reference.year == 2026


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "my_act.toml"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"my_act\.toml: exists already"):
        create(path, expression="x")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "expression",
    [
        "x * sigmiod(x)",
        "2 *",
        "__import__('os')",
        "x**(10**9)",
        "(" * 5000 + "x" + ")" * 5000,
        "x.real",
        "",
        "lambda: x",
        "x\0",
        "x if x else x",
    ],
)
def test_a_formula_that_no_spec_may_have_makes_no_file(tmp_path: Path, expression: str) -> None:
    path = tmp_path / "specs/my_act.toml"
    with pytest.raises(SpecError) as caught:
        create(path, expression=expression)
    assert str(caught.value).split(":")[0].endswith("specs/my_act.toml")
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["My-Act", "class", "1st", "mish.py", "torch"])
def test_a_name_that_no_activation_may_have_makes_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError):
        create(tmp_path / f"{name}.toml", expression="x")
    assert not list(tmp_path.iterdir())


def test_functions_and_constants_are_no_parameters() -> None:
    assert free_names("pi * E * x + exp(b * a) + b") == ("b", "a")


@given(st.text())
@settings(max_examples=200)
def test_any_text_is_quoted_so_that_toml_reads_it_back(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert tomllib.loads(f"key = {_quoted(clean)}")["key"] == clean


def test_blanks_are_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = 1\n  y = 2  # FILL IN\n")
    assert find_blanks(tmp_path / "a.toml") == ((2, "y = 2  # FILL IN"),)
