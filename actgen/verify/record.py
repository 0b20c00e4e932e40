"""``accuracy.json``: everything that was measured, on which code and in which versions; no time, a fixed order.

    {"activations": {"mish": {"torch eager float32": {"module": "1f...", "on": "torch 2.13.0", "points": 1048576,
        "failure": "", "quantities": {"value": {"ours": [1.9, -3.1, 1.8, -3.1, 0, [], 0, ""], "builtin": ...}}}}}}

The numbers of a finding are those of :class:`actgen.verify.finding.Finding`, in its order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from traceback import format_exception
from typing import Any

from actgen.build import InputError
from actgen.build.manifest import partial_name
from actgen.build.settings import shorten
from actgen.numerics.contract import FORMATS
from actgen.symbolic import Order
from actgen.verify.finding import Finding

NAME = "accuracy.json"
FORMAT = 1

FRAMEWORKS = ("torch", "keras", "jax")
MODES = ("eager", "compiled")
DTYPES = ("float64", "float32", "bfloat16", "float16")

QUANTITIES = ("value", "d/dx", "d2/dx2")
SETTINGS = ("", "sampled", "exhaustive")
"""At the default parameters; at others; at the defaults over all numbers of float32."""


@dataclass(frozen=True)
class Cell:
    """One quantity: what was found of our code and, at the default parameters, of the framework's own."""

    ours: Finding
    builtin: Finding | None

    def worse(self, other: Cell) -> Cell:
        """The worse of each; of a built-in only where both have one."""
        pair = self.builtin, other.builtin
        return Cell(self.ours.worse(other.ours), pair[0].worse(pair[1]) if pair[0] and pair[1] else None)


@dataclass(frozen=True)
class Entry:
    """One activation in one framework, mode and type.

    Attributes:
        cells: by the quantity's name and one of SETTINGS.
        failure: why the code does not run at all, in one line.
        traceback: where that was; shown when it happens, and left out of the record, for it names folders of a machine.
    """

    cells: Mapping[tuple[str, str], Cell]
    failure: str = ""
    traceback: str = ""

    @classmethod
    def of_failure(cls, error: BaseException) -> Entry:
        """What is recorded of code that raised an error."""
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        return cls({}, message, "".join(format_exception(error)))

    def worse(self, other: Entry) -> Entry:
        """Both in one: the worse of each quantity; where one of them does not run, nothing does."""
        if self.failure or other.failure:
            return self if self.failure else other
        cells = {key: self.cells[key].worse(cell) if key in self.cells else cell for key, cell in other.cells.items()}
        return Entry({**self.cells, **cells})

    @property
    def ordered(self) -> list[tuple[tuple[str, str], Cell]]:
        """The cells in the order of the pages: the default parameters first, derivatives by the input first."""

        def rank(key: tuple[str, str]) -> tuple[int, int, str]:
            quantity, setting = key
            place = QUANTITIES.index(quantity) if quantity in QUANTITIES else len(QUANTITIES)
            return SETTINGS.index(setting), place, quantity

        return sorted(self.cells.items(), key=lambda item: rank(item[0]))


@dataclass(frozen=True)
class Place:
    """Where something was measured."""

    activation: str
    framework: str
    mode: str
    dtype: str

    @property
    def rank(self) -> tuple[str, int, int, int]:
        """The order of the pages."""
        return (
            self.activation,
            FRAMEWORKS.index(self.framework),
            MODES.index(self.mode),
            DTYPES.index(self.dtype),
        )


@dataclass(frozen=True)
class Measured:
    """An entry and what it was measured on.

    Attributes:
        entry: what was found.
        module: hash of the generated module.
        on: the framework and its version.
        points: how many floats of float32 and float64 were asked for.
    """

    entry: Entry
    module: str
    on: str
    points: int


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    place: Place
    quantity: str
    setting: str
    cell: Cell

    @property
    def is_missed(self) -> bool:
        """Whether our code misses the contract here."""
        return not self.cell.ours.keeps(FORMATS[self.place.dtype])


@dataclass(frozen=True)
class Record:
    """Everything that was measured, by place."""

    measured: Mapping[Place, Measured] = field(default_factory=dict)

    @property
    def rows(self) -> Iterator[Row]:
        """Every quantity, in the order of the pages."""
        for place in sorted(self.measured, key=lambda place: place.rank):
            for (quantity, setting), cell in self.measured[place].entry.ordered:
                yield Row(place, quantity, setting, cell)

    @property
    def failures(self) -> dict[Place, str]:
        """Code that does not run."""
        return {place: m.entry.failure for place, m in self.measured.items() if m.entry.failure}

    def updated(self, measured: Mapping[Place, Measured], known: set[str]) -> Record:
        """With new measurements in place of old ones, and without activations that are no longer known.

        What was not measured anew stays, if it is of the same code in the same versions; in other modes and types too,
        what was measured on other code goes.
        """
        merged = dict(self.measured)
        for place, new in measured.items():
            old = merged.get(place)
            if old is not None and (old.module, old.on) == (new.module, new.on):
                cells = {**old.entry.cells, **new.entry.cells}
                points = max(old.points, new.points)
                new = Measured(Entry(cells, new.entry.failure), new.module, new.on, points)
            merged[place] = new
        code = {(place.activation, place.framework): new.module for place, new in measured.items()}
        return Record(
            {
                place: one
                for place, one in merged.items()
                if place.activation in known and one.module == code.get((place.activation, place.framework), one.module)
            }
        )

    def dump(self) -> str:
        """The text of the file: a line for each quantity."""
        lines = ["{", f'  "format": {FORMAT},', '  "finding": ' + json.dumps(_FIELDS) + ",", '  "activations": {']
        places = sorted(self.measured, key=lambda place: place.rank)
        for i, place in enumerate(places):
            if i == 0 or place.activation != places[i - 1].activation:
                lines.append(f"    {json.dumps(place.activation)}: {{")
            one = self.measured[place]
            head = {"module": one.module, "on": one.on, "points": one.points, "failure": one.entry.failure}
            key = f"{place.framework} {place.mode} {place.dtype}"
            lines.append(f'      {json.dumps(key)}: {json.dumps(head)[:-1]}, "quantities": {{')
            cells = [f"        {json.dumps(' '.join(k).strip())}: {_dump(c)}" for k, c in one.entry.ordered]
            lines.append(",\n".join(cells))
            is_last = i + 1 == len(places) or places[i + 1].activation != place.activation
            lines.append("      }}" if is_last else "      }},")
            if is_last:
                lines.append("    }" if i + 1 == len(places) else "    },")
        return "\n".join(line for line in [*lines, "  }", "}"] if line) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Record:
        """What lies in a folder of generated code; nothing where there is none.

        Raises:
            InputError: the file is not what was written.
        """
        try:
            content = json.loads((folder / NAME).read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                return cls()
            return cls(
                {
                    Place(name, *key.split()): Measured(
                        Entry(parse_cells(one["quantities"]), one["failure"]), one["module"], one["on"], one["points"]
                    )
                    for name, entries in content["activations"].items()
                    for key, one in entries.items()
                }
            )
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (ValueError, KeyError, TypeError) as error:
            place = shorten(folder / NAME)
            raise InputError(f"{place}: not what `actgen verify` wrote; delete it and measure again") from error


def quantity_name(order: Order, variable: str) -> str:
    """What a derivative is called; the input is x."""
    return partial_name(tuple("x" if name == variable else name for name in order))


def dump_cells(cells: Mapping[tuple[str, str], Cell]) -> str:
    """Cells as JSON."""
    return "{" + ", ".join(f"{json.dumps(' '.join(key).strip())}: {_dump(cell)}" for key, cell in cells.items()) + "}"


def parse_cells(content: Mapping[str, Any]) -> dict[tuple[str, str], Cell]:
    """The cells that :func:`dump_cells` wrote."""
    return {
        _key(name): Cell(_finding(cell["ours"]), None if cell["builtin"] is None else _finding(cell["builtin"]))
        for name, cell in content.items()
    }


def _key(name: str) -> tuple[str, str]:
    quantity, _, setting = name.rpartition(" ")
    return (quantity, setting) if setting in SETTINGS and quantity else (name, "")


_FIELDS = [one.name for one in fields(Finding)]


def _dump(cell: Cell) -> str:
    def values(finding: Finding | None) -> list[object] | None:
        return None if finding is None else [_plain(value) for value in astuple(finding)]

    return json.dumps({"ours": values(cell.ours), "builtin": values(cell.builtin)}, allow_nan=False)


def _plain(value: object) -> object:
    """JSON has neither infinities nor NaN: they are text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return list(value) if isinstance(value, tuple) else value


def _finding(values: list[Any]) -> Finding:
    ulps, ulps_at, units, units_at, spurious, wrong, undecided, setting = values
    numbers = (float(ulps), float(ulps_at), float(units), float(units_at))
    return Finding(*numbers, int(spurious), tuple(wrong), int(undecided), str(setting))
