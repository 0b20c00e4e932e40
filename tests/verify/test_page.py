"""The page and the table, as a reader sees them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from actgen.build import KernelRecord, Manifest
from actgen.build import Record as Built
from actgen.verify.finding import Finding
from actgen.verify.page import render
from actgen.verify.reasons import LEGEND
from actgen.verify.record import Cell, Entry, Measured, Place, Record
from actgen.verify.table import COLUMNS, missed, number, rows

GOOD = Finding(1.5, -0.25, 1.25, 0.5)
MISS = Finding(9.0, 2.0, 7.5, 2.0)
NAN = Finding(math.inf, 3.0, math.inf, 3.0, 2, ("-inf",))


def record(**findings: tuple[Finding, Finding | None]) -> Record:
    """Of mish, by framework and mode as in ``torch_eager``."""
    measured = {}
    for name, pair in findings.items():
        framework, mode = name.split("_")
        entry = Entry({("value", ""): Cell(*pair)})
        measured[Place("mish", framework, mode, "float32")] = Measured(entry, "abc", f"{framework} 1.0", 4096)
    return Record(measured)


def exceptions(page: str) -> list[str]:
    part = page.split("## What misses the contract")[1].split("##")[0]
    return [line for line in part.splitlines() if line.startswith("| `")]


def test_where_all_is_well_the_page_says_so_and_compares() -> None:
    page = render(record(torch_eager=(GOOD, NAN)), Manifest(), {})
    assert "1 activation, on torch 1.0" in page
    assert "about 4,096 numbers, some of every binade" in page
    assert "| float32 | 1 | 0 | 1.25 | 1 of 1 | inf |" in page
    assert page.split("## What misses the contract")[1].split("##")[0].strip() == "Nothing."
    assert "In 0 of 1 comparisons" in page
    assert "| `mish` | value | 1.25 / inf |" in page
    assert "## JAX" not in page


def test_the_page_claims_no_mode_and_no_number_that_was_not_measured() -> None:
    (place, one), *_ = record(torch_eager=(GOOD, None)).measured.items()
    both = {place: one, replace(place, mode="compiled"): replace(one, points=2**20)}
    assert "1 in eager mode, at the default" in render(Record({place: one}), Manifest(), {})
    page = render(Record(both), Manifest(), {})
    assert "Each in eager mode and compiled (`torch.compile`" in page
    assert "about 4,096 to 1,048,576 numbers" in page
    page = render(Record({**both, replace(place, activation="relu"): one}), Manifest(), {})
    assert "2 in eager mode, 1 compiled (`torch.compile`" in page


def test_what_was_not_judged_is_told() -> None:
    page = render(record(torch_eager=(GOOD, None)), Manifest(), {})
    assert "The exact value is known at every number." in page
    unknown = replace(GOOD, undecided=1234)
    page = render(record(torch_eager=(GOOD, None), torch_compiled=(unknown, None)), Manifest(), {})
    assert "no exact value is known, and what the code gives there is not judged: `mish` value (1,234)." in page
    assert "known at every number" not in page


def test_an_exhaustive_run_alone_speaks_of_no_sample() -> None:
    place = Place("mish", "torch", "eager", "float32")
    entry = Entry({("value", "exhaustive"): Cell(GOOD, None)})
    page = render(Record({place: Measured(entry, "abc", "torch 1.0", 0)}), Manifest(), {})
    assert "Where all 2^32 numbers are named" in page
    assert "| `mish` | value, all 2^32 numbers | 1.25 |" in page
    assert "65,536" not in page
    assert "Where all 2^32" not in render(record(torch_eager=(GOOD, None)), Manifest(), {})


def test_every_miss_is_listed_with_what_is_wrong_and_where() -> None:
    (line,) = exceptions(render(record(torch_eager=(MISS, GOOD)), Manifest(), {}))
    assert line.startswith("| `mish` | value | torch | eager | float32 | 7.50 units at x = 2.0 |")
    (line,) = exceptions(render(record(torch_eager=(NAN, None)), Manifest(), {}))
    assert "NaN or infinity for 2 numbers, wrong at -inf" in line
    page = render(record(torch_eager=(MISS, GOOD)), Manifest(), {})
    assert "| `mish` | value | **7.50** / 1.25 |" in page
    assert "In 1 of 1 comparisons" in page


def test_every_miss_has_its_reason_and_the_reasons_are_explained() -> None:
    found = record(torch_eager=(MISS, None), torch_compiled=(GOOD, None))
    assert exceptions(render(found, Manifest(), {}))[0].endswith("| the compiler: compiled it keeps the contract |")
    kernel = KernelRecord("a form", 3.0, 9.0, 2.0, True, False, (1, 1, 9))
    built = Built("specs/mish.toml", "", "Mish", (), "", {"value": {"torch": kernel}}, {})
    page = render(found, Manifest(activations={"mish": built}), {"torch": 2.0})
    assert "none was found within 2 |" in exceptions(page)[0]
    assert LEGEND in page


def test_code_that_does_not_run_comes_first() -> None:
    place = Place("mish", "torch", "compiled", "float32")
    failed = Record({place: Measured(Entry({}, "no such | operator"), "abc", "torch 1.0", 64)})
    assert exceptions(render(failed, Manifest(), {})) == [
        r"| `mish` |  | torch | compiled | float32 | does not run | no such \| operator |"
    ]
    assert missed(failed) == ["mish in torch, compiled, float32: does not run: no such | operator"]


def test_the_table_marks_misses_and_has_a_cell_for_each_column() -> None:
    lines = rows(record(torch_eager=(MISS, NAN), torch_compiled=(GOOD, None)))
    assert [len(line) for line in lines] == [len(COLUMNS)] * 2
    assert lines[0][:7] == ("mish", "torch", "eager", "float32", "value", "7.50 (inf)", "2 (3)")
    assert lines[0][-3:] == ("0 (2)", "ok (not -inf)", "MISSED")
    assert lines[1][:3] == ("", "", "compiled")
    assert (lines[1][-1], lines[1][-3]) == ("ok", "0")


@pytest.mark.parametrize(
    ("setting", "told", "quantity"),
    [
        ("", "value", "value"),
        ("sampled", "value (other parameters)", "value, other parameters"),
        ("exhaustive", "value (all 2^32 numbers)", "value, all 2^32 numbers"),
    ],
)
def test_what_was_measured_is_named_with_where(setting: str, told: str, quantity: str) -> None:
    place = Place("mish", "torch", "eager", "float32")
    found = Record({place: Measured(Entry({("value", setting): Cell(MISS, None)}), "", "", 0)})
    assert rows(found)[0][4] == told
    assert f"| `mish` | {quantity} | torch | eager |" in render(found, Manifest(), {})


def test_a_miss_at_other_parameters_names_them() -> None:
    setting = replace(MISS, setting="beta = 3")
    place = Place("mish", "torch", "eager", "float32")
    found = Record({place: Measured(Entry({("value", "sampled"): Cell(setting, None)}), "", "", 0)})
    assert missed(found) == ["mish value in torch, eager, float32: 7.50 units at x = 2.0 with beta = 3"]


def test_numbers_are_short() -> None:
    assert [number(x) for x in (0.0, 3.999, 250.4, 123456.0, 4.5e15, math.inf)] == [
        *("0.00", "4.00", "250", "1e5", "4e15", "inf")
    ]
