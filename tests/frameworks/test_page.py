"""The page: what is told of which activation, and when it is stale."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from actgen.build import Settings
from actgen.build.progress import Silence
from actgen.cli import main
from actgen.frameworks import is_current, write, writing
from actgen.frameworks.comparing import Comparison, Difference, End, Kink
from actgen.frameworks.elsewhere import Elsewhere
from actgen.frameworks.page import render
from actgen.spec import Activation, load_spec
from tests.specs.textbook import SPECS

RELU, LISHT = (load_spec(SPECS / f"{name}.toml") for name in ("leaky_relu", "lisht"))
EQUAL = Comparison("leaky_relu", "torch", "torch.nn.functional.leaky_relu", {}, {"negative_slope": "0.01"})


def section(*comparisons: Comparison, others: tuple[Elsewhere, ...] = ()) -> str:
    """What the page says of leaky_relu."""
    return render([RELU], comparisons, {"leaky_relu": others} if others else {}, "").partition("\n## leaky_relu\n")[2]


def test_what_is_equal_is_in_the_index_and_has_no_section() -> None:
    page = render([RELU, LISHT], [EQUAL], {}, "torch 2")
    assert "| `leaky_relu` |  | `leaky_relu` |  |  |" in page
    assert "Measured on\ntorch 2 by" in page
    assert "## leaky_relu" not in page


def test_what_no_framework_has_is_left_out() -> None:
    assert "lisht" not in render([RELU, LISHT], [EQUAL], {}, "")


def test_other_arguments_than_the_default_are_told() -> None:
    changed = replace(
        EQUAL, framework="keras", name="keras.activations.leaky_relu", arguments={"negative_slope": "0.5"}
    )
    page = render([RELU], [EQUAL, changed], {}, "")
    assert "| [`leaky_relu`](#leaky_relu) |  | `leaky_relu` | `leaky_relu` * |  |" in page
    assert "| `keras.activations.leaky_relu` | `negative_slope=0.01` | `negative_slope=0.5` |" in page


def test_arguments_that_are_the_default_are_not_told() -> None:
    assert section(replace(EQUAL, arguments={"negative_slope": "0.01"})) == ""


def test_another_slope_at_a_kink_is_bold() -> None:
    other = replace(EQUAL, framework="jax", name="jax.nn.leaky_relu", kinks=(Kink(0.0, 0.01, 1.0),))
    text = section(replace(EQUAL, kinks=(Kink(0.0, 0.01, 0.01),)), other)
    assert "| function | defaults | slope at 0, ours 0.01 |" in text
    assert "| `torch.nn.functional.leaky_relu` | `negative_slope=0.01` | 0.01 |" in text
    assert "| `jax.nn.leaky_relu` | `negative_slope=0.01` | **1** |" in text


def test_a_wrong_end_is_bold_and_a_wrong_end_of_ours_is_told() -> None:
    end = End("value", -math.inf, 0.0, math.nan, -0.0, is_theirs_right=False, is_ours_right=True)
    text = section(replace(EQUAL, ends=(end,)))
    assert "| value at -inf: 0 |" in text
    assert "| **nan** |" in text
    wrong = replace(end, ours=1.0, is_ours_right=False)
    assert "| value at -inf: 0, ours 1 |" in section(replace(EQUAL, ends=(wrong,)))


def test_a_difference_is_told_with_who_is_right() -> None:
    difference = Difference("slope", 17.5, 2.5e-8, 0.0, 2.5e-8, 9e5, 1.7e7, "ours")
    assert "| slope | 17.5 | 2.5e-08 | 0 | 2.5e-08 | 9e5 (2e7) | ours |" in section(
        replace(EQUAL, differences=(difference,))
    )
    # Numbers that differ do not look the same.
    near = Difference("value", 0.5, 0.25, 0.25000003, 0.25, 8.0, 8.0, "ours")
    assert "| 0.25 | 0.25000003 | 0.25 |" in section(replace(EQUAL, differences=(near,)))


def test_what_is_not_measured_is_named_with_the_reason() -> None:
    text = section(
        replace(EQUAL, unmeasured="it is axiswise"), replace(EQUAL, framework="jax", unmeasured="it is axiswise")
    )
    assert text.count("Not measured: it is axiswise.") == 1


def test_layers_and_operators_are_told_with_defaults_and_notes() -> None:
    text = section(
        EQUAL,
        others=(
            Elsewhere("keras.layers.LeakyReLU", {"negative_slope": 0.3, "mask": "None"}, "a trap"),
            Elsewhere("tf.nn.leaky_relu", {}, ""),
        ),
    )
    assert "| `keras.layers.LeakyReLU` | `negative_slope=0.3`, `mask=None`; a trap |" in text
    assert "Also `tf.nn.leaky_relu`." in text


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of two activations, of which PyTorch has one; measuring is left out."""
    monkeypatch.setattr(writing, "run_all", lambda *_, **__: [(EQUAL,), (), ()])
    settings = Settings(specs=SPECS, out=tmp_path, targets=("torch",), root=tmp_path)
    write([RELU, LISHT], settings, tmp_path / "page.md", jobs=1, progress=Silence())
    return tmp_path / "page.md"


def test_a_page_is_current_until_a_spec_or_the_page_changes(page: Path) -> None:
    def now(*activations: Activation) -> bool:
        return is_current(activations, page)

    assert now(RELU, LISHT)
    assert now(RELU)  # no framework has the other
    assert not now(LISHT)
    assert not now(replace(RELU, digest="0"), LISHT)
    page.write_text(page.read_text().replace("`leaky_relu`", "`leeky_relu`"))
    assert not now(RELU, LISHT)


def test_a_page_that_is_not_there_is_not_current(tmp_path: Path) -> None:
    assert not is_current([RELU], tmp_path / "page.md")


def test_a_change_of_the_facts_makes_the_page_stale(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "facts").mkdir()
    facts = tmp_path / "facts" / "elsewhere.toml"
    facts.write_text("")
    monkeypatch.setattr(writing, "FACTS", facts)
    assert not is_current([RELU, LISHT], page)


def test_the_command_exits_with_1_where_the_page_is_stale(tmp_path: Path) -> None:
    stale = tmp_path / "page.md"
    stale.write_text("nothing\n")
    result = CliRunner().invoke(main, ["frameworks", "--specs", str(SPECS), "-o", str(stale), "--check"])
    assert result.exit_code == 1
    assert "is stale; run `actgen frameworks`" in result.output
    assert stale.read_text() == "nothing\n"
