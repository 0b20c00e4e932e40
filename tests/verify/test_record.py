"""The record: what is written is read again, in one order whatever the order of measuring, and merged by place."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from actgen.build import InputError
from actgen.verify.finding import Finding
from actgen.verify.record import NAME, Cell, Entry, Measured, Place, Record, quantity_name

GOOD = Finding(1.5, -0.25, 1.25, 0.5)
BAD = Finding(math.inf, 3.0, math.inf, 3.0, 2, ("-inf", "nan"), 1, "beta = 3")
MISH = Place("mish", "torch", "eager", "float32")
SWISH = Place("swish", "jax", "compiled", "bfloat16")
VALUE, SLOPE = Cell(GOOD, BAD), Cell(replace(GOOD, units=9.0), None)


def measured(cells: dict[tuple[str, str], Cell], module: str = "abc") -> Measured:
    return Measured(Entry(cells), module, "torch 2.13.0", 1024)


RECORD = Record(
    {
        SWISH: measured({("d/dbeta", "sampled"): Cell(BAD, None), ("value", ""): VALUE}),
        MISH: measured({("value", "exhaustive"): VALUE, ("d/dx", ""): SLOPE, ("value", ""): VALUE}),
    }
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(RECORD.dump())
    again = Record.read(tmp_path)
    assert again.measured == RECORD.measured
    assert again.dump() == RECORD.dump()


def test_the_text_does_not_depend_on_the_order_of_measuring() -> None:
    other = Record(dict(reversed(list(RECORD.measured.items()))))
    assert other.dump() == RECORD.dump()
    keys = [(row.place.activation, row.quantity, row.setting) for row in RECORD.rows]
    assert keys[:3] == [("mish", "value", ""), ("mish", "d/dx", ""), ("mish", "value", "exhaustive")]
    content = json.loads(RECORD.dump(), parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert list(content["activations"]) == ["mish", "swish"]


def test_an_empty_record_is_valid() -> None:
    assert json.loads(Record().dump())["activations"] == {}


def test_a_folder_without_a_record_has_measured_nothing(tmp_path: Path) -> None:
    assert Record.read(tmp_path).measured == {}


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD", "[]", '{"format": 1}', '{"format": 1, "activations": {"a": {"b": 1}}}']
)
def test_a_file_that_is_no_record_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError, match="measure again"):
        Record.read(tmp_path)


def test_only_what_was_measured_anew_is_replaced_and_removed_activations_go() -> None:
    new = {MISH: measured({("value", ""): SLOPE})}
    merged = RECORD.updated(new, {"mish"})
    assert list(merged.measured) == [MISH]
    cells = merged.measured[MISH].entry.cells
    assert cells["value", ""] == SLOPE
    assert cells["d/dx", ""] == SLOPE
    assert cells["value", "exhaustive"] == VALUE


def test_rows_of_other_code_do_not_stay_beside_new_ones() -> None:
    merged = RECORD.updated({MISH: measured({("value", ""): SLOPE}, module="new")}, {"mish", "swish"})
    assert merged.measured[MISH].entry.cells == {("value", ""): SLOPE}
    assert SWISH in merged.measured


def test_what_was_measured_on_other_code_goes_in_other_modes_and_types_too() -> None:
    """A page that is half of old code says of the new what nobody measured."""
    compiled, half, keras = (
        replace(MISH, mode="compiled"),
        replace(MISH, dtype="float16"),
        replace(MISH, framework="keras"),
    )
    cells = {("value", ""): VALUE}
    known = Record({compiled: measured(cells), half: measured(cells, "new"), keras: measured(cells), **RECORD.measured})
    merged = known.updated({MISH: measured({("value", ""): SLOPE}, module="new")}, {"mish", "swish"})
    assert set(merged.measured) == {MISH, half, keras, SWISH}


def test_a_row_is_missed_by_error_by_nan_or_by_a_limit() -> None:
    assert not next(Record({MISH: measured({("value", ""): Cell(GOOD, None)})}).rows).is_missed
    half = replace(MISH, dtype="float16")
    for place, finding in (
        (half, GOOD),
        (MISH, replace(GOOD, units=4.01)),
        (MISH, replace(GOOD, spurious=1)),
        (MISH, replace(GOOD, wrong=("inf",))),
    ):
        assert next(Record({place: measured({("value", ""): Cell(finding, None)})}).rows).is_missed


def test_quantities_are_named_after_x_whatever_the_input_is_called() -> None:
    names = [quantity_name(order, "z") for order in ((), ("z",), ("z", "z"), ("beta",))]
    assert names == ["value", "d/dx", "d2/dx2", "d/dbeta"]
