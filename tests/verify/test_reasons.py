"""Who is to blame for a miss: nobody for what somebody else did, and nobody at all where figures do not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actgen.build import KernelRecord, Manifest
from actgen.build import Record as Built
from actgen.verify.finding import Finding
from actgen.verify.reasons import reason
from actgen.verify.record import Cell, Place, Row

GOOD = Finding(1.5, -0.25, 1.25, 0.5)
MISS = Finding(9.0, 2.0, 7.5, 2.0)
ELSEWHERE = replace(MISS, units_at=3.0)
MARGINS = {"torch": 2.75, "keras": 2.75, "jax": 2.75}


def told(forms: dict[str, tuple[str, float]] | None = None, /, **findings: Finding) -> str:
    """The reason for the first of the findings.

    Args:
        forms: the form chosen for each framework and its units in emulated arithmetic.
        findings: by framework and mode as in ``torch_eager``.
    """
    rows = []
    for name, finding in findings.items():
        framework, mode = name.split("_")
        rows.append(Row(Place("mish", framework, mode, "float32"), "value", "", Cell(finding, None)))
    kernels = {
        framework: KernelRecord(form, units, units, 2.0, units <= 4, False, (1, 1, 9))
        for framework, (form, units) in (forms or {}).items()
    }
    built = Built("specs/mish.toml", "", "Mish", (), "", {"value": kernels}, {})
    return reason(rows[0], rows, Manifest(activations={"mish": built}), MARGINS)


def test_a_form_that_misses_in_emulation_is_to_blame_whoever_keeps_the_contract() -> None:
    forms = {"torch": ("declared", 8.1)}
    assert told(forms, torch_eager=MISS, torch_compiled=GOOD) == "the form: 8.10 units in emulated arithmetic too"


def test_a_form_beyond_the_margin_is_to_blame_and_one_within_is_not() -> None:
    beyond = "the form: 2.80 units in emulated arithmetic, where none was found within 2.75"
    assert told({"torch": ("declared", 2.8)}, torch_eager=MISS, jax_eager=GOOD) == beyond
    assert told({"torch": ("declared", 2.75)}, torch_eager=MISS) == "not known"


def test_code_that_keeps_the_contract_in_the_other_mode_blames_the_compiler() -> None:
    assert told(torch_compiled=MISS, torch_eager=GOOD) == "the compiler: eager it keeps the contract"
    assert told(keras_eager=MISS, keras_compiled=GOOD, jax_eager=GOOD).startswith("the compiler: compiled")


@pytest.mark.parametrize(
    ("jax", "expected"),
    [
        ("declared", "the framework's functions: in jax the same form keeps the contract"),
        ("expanded", "the form or the framework's functions: in jax another form keeps the contract"),
    ],
)
def test_functions_are_to_blame_only_where_the_same_form_does_better_elsewhere(jax: str, expected: str) -> None:
    assert told({"torch": ("declared", 2.0), "jax": (jax, 2.0)}, torch_eager=MISS, jax_eager=GOOD) == expected


def test_frameworks_that_share_no_code_blame_the_form_where_they_are_off_alike() -> None:
    alike = "the form: torch is off alike at the same number"
    assert told(jax_eager=MISS, torch_eager=MISS) == alike
    assert told(torch_eager=MISS, jax_eager=MISS, keras_eager=MISS).endswith(
        "jax and keras are off alike at the same number"
    )
    assert told(jax_eager=MISS, torch_eager=ELSEWHERE) == "not known"
    assert told(jax_eager=MISS, keras_compiled=MISS) == "not known"  # both by XLA
    assert told(torch_eager=MISS, torch_compiled=MISS) == "not known"


def test_other_quantities_and_types_are_no_evidence() -> None:
    row = Row(Place("mish", "torch", "eager", "float32"), "value", "", Cell(MISS, None))
    good = replace(row, place=replace(row.place, mode="compiled"), cell=Cell(GOOD, None))
    others = [
        replace(good, quantity="d/dx"),
        replace(good, setting="sampled"),
        replace(good, place=replace(good.place, dtype="float64")),
        replace(good, place=replace(good.place, activation="relu")),
    ]
    assert reason(row, [row, *others], Manifest(), {}) == "not known"
    assert reason(row, [row, *others, good], Manifest(), {}).startswith("the compiler")
