"""docs/frameworks.md, as it was written: of these specs, and with every difference that `actgen verify` measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actgen.frameworks import is_current
from actgen.numerics.contract import FORMATS
from actgen.spec import load_specs
from actgen.verify.record import Record, Row
from tests.specs.textbook import SPECS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "frameworks.md"
ACTIVATIONS = {activation.name: activation for activation in load_specs(SPECS)}
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]}
QUANTITIES = {"value": "value", "d/dx": "slope"}

# Errors next to a kink are not judged there, and are small unless the branch is another.
LARGE = 2**5


def test_the_page_was_made_of_these_specs() -> None:
    assert is_current(list(ACTIVATIONS.values()), PAGE), "run `actgen frameworks`"


def test_every_built_in_is_in_the_index() -> None:
    for activation in ACTIVATIONS.values():
        (row,) = re.findall(rf"^\| \[?`{activation.name}`.*$", SECTIONS["All of them"], re.MULTILINE) or [""]
        for builtin in activation.builtins.values():
            names = (f"`{builtin.name}`", f"`{builtin.name.rpartition('.')[2]}`")
            assert any(name in row for name in names), (activation.name, builtin.name)


def measured() -> Iterator[tuple[Row, str]]:
    """What `actgen verify` measured in float32, eagerly, at the default parameters; and the built-in's name."""
    for row in Record.read(ROOT / "generated").rows:
        activation = ACTIVATIONS.get(row.place.activation)
        if activation is None or row.place.framework not in activation.builtins:
            continue
        if activation.surrogate is not None or activation.kind != "elementwise":
            continue
        is_compared = row.quantity in QUANTITIES and not row.setting and row.cell.builtin is not None
        if is_compared and (row.place.mode, row.place.dtype) == ("eager", "float32"):
            yield row, activation.builtins[row.place.framework].name


def test_every_large_difference_that_was_measured_is_on_the_page_with_who_is_right() -> None:
    told = 0
    for row, name in measured():
        assert row.cell.builtin is not None
        if row.cell.builtin.units < LARGE:
            continue
        quantity = QUANTITIES[row.quantity]
        section = SECTIONS[row.place.activation]
        judged = re.search(
            rf"^\| `{re.escape(name)}` \| {quantity} \|.* (ours|theirs|neither) \|$", section, re.MULTILINE
        )
        # At a kink it is told by another slope there.
        bent = re.search(rf"^\| `{re.escape(name)}` \|.*\*\*", section, re.MULTILINE) if quantity == "slope" else None
        assert judged or bent, (row.place, row.quantity, row.cell.builtin)
        told += 1
    assert told > 20


@pytest.mark.parametrize("end", ["-inf", "inf", "nan"])
def test_every_wrong_end_that_was_measured_is_on_the_page(end: str) -> None:
    for row, name in measured():
        assert row.cell.builtin is not None
        if end not in row.cell.builtin.wrong:
            continue
        heading, cells = table(SECTIONS[row.place.activation], name)
        (column,) = (i for i, text in enumerate(heading) if text.startswith(f"{QUANTITIES[row.quantity]} at {end}: "))
        assert cells[column].startswith("**"), (row.place, row.quantity, end)


def test_a_difference_is_told_only_where_the_built_in_misses_the_contract_unless_it_is_right() -> None:
    """By the page's own figures: it looks at places that one sample of floats may not have."""
    told = re.findall(r" \| (\S+) \(\S+\) \| (ours|theirs|neither) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(told) > 20
    for units, right in told:
        assert (float(units) > FORMATS["float32"].allowed) == (right != "theirs"), (units, right)


def table(section: str, name: str) -> tuple[list[str], list[str]]:
    """The heading of the first table of a section, and its row of a built-in."""
    heading = next(line for line in section.splitlines() if line.startswith("| function "))
    row = next(line for line in section.splitlines() if line.startswith(f"| `{name}` "))
    return [cell.strip() for cell in heading.split("|")], [cell.strip() for cell in row.split("|")]
