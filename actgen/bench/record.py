"""``results.json``: what was measured, on which machine and with which versions; a fixed order."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from actgen.build import InputError
from actgen.build.settings import shorten

NAME = "results.json"
FORMAT = 1

OTHERS = ("builtin", "naive", "copy")
"""What ours is held against."""

GROUPS = ("transcendental", "cheap", "no built-in")


@dataclass(frozen=True, order=True)
class Place:
    """What was measured."""

    activation: str
    way: str
    dtype: str
    size: int
    part: str


@dataclass(frozen=True)
class Measured:
    """One activation in one way, type, size and pass.

    Attributes:
        group: of GROUPS.
        module: the fingerprint of our code.
        seconds: the median of a call, by contestant: "ours", "builtin", "naive", "copy"; those that exist.
        ratios: ours to each of the others, the median over the rounds.
        kept: bytes kept for the backward pass, a number of the input, by contestant; empty where nobody tells.
    """

    group: str
    module: str
    seconds: Mapping[str, float]
    ratios: Mapping[str, float]
    kept: Mapping[str, float]


@dataclass(frozen=True)
class Record:
    """Everything that was measured.

    Attributes:
        measured: by place.
        machine: what it was measured on, in words.
        versions: of the frameworks.
    """

    measured: Mapping[Place, Measured]
    machine: str
    versions: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record in a folder; an empty one if there is none.

        Raises:
            InputError: the file is broken, or of another version.
        """
        path = folder / NAME
        if not path.is_file():
            return cls({}, machine(), {})
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise InputError(f"{shorten(path)} is of another version of actgen; delete it and run `actgen bench`")
            cells = {Place(*_place(cell)): _measured(cell) for cell in content["measured"]}
            return cls(cells, content["machine"], content["versions"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{shorten(path)}: broken ({error}); delete it and run `actgen bench`") from error

    def updated(self, found: Mapping[Place, Measured], versions: Mapping[str, str]) -> Record:
        """With what was found in the place of what was known there; of another machine or version nothing stays."""
        here = machine()
        is_same = self.machine == here and all(self.versions.get(n, v) == v for n, v in versions.items())
        kept = self.measured if is_same else {}
        return replace(
            self,
            measured={**kept, **found},
            machine=here,
            versions={**(self.versions if is_same else {}), **versions},
        )

    def dump(self) -> str:
        """The file's text."""
        cells = [json.dumps({**asdict(place), **asdict(one)}) for place, one in sorted(self.measured.items())]
        head = json.dumps({"format": FORMAT, "machine": self.machine, "versions": dict(sorted(self.versions.items()))})
        return f'{head[:-1]}, "measured": [\n' + ",\n".join(cells) + "\n]}\n"


def machine() -> str:
    """The processor and how many of its cores may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{_processor()}, {cores} {'core' if cores == 1 else 'cores'}, {platform.system()}"


def _processor() -> str:
    try:
        lines: Iterable[str] = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = ()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _place(cell: Mapping[str, object]) -> tuple[str, str, str, int, str]:
    activation, way, dtype, size, part = (cell[name] for name in ("activation", "way", "dtype", "size", "part"))
    assert isinstance(size, int)
    return str(activation), str(way), str(dtype), size, str(part)


def _measured(cell: Mapping[str, object]) -> Measured:
    numbers = []
    for name in ("seconds", "ratios", "kept"):
        given = cell[name]
        assert isinstance(given, dict)
        numbers.append({str(key): float(value) for key, value in given.items()})
    return Measured(str(cell["group"]), str(cell["module"]), *numbers)
