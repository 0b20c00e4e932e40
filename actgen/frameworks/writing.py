"""What `actgen frameworks` does: compare in each framework, render, write; and tell whether the page is of these specs.

The last line of the page has a hash of what it was made of, and one of itself. Nothing need be run to compare them, and
other processors and versions, on which the last digits of a framework are others, do not make a page stale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build.digest import digest
from actgen.build.progress import Progress
from actgen.build.settings import Settings
from actgen.build.workers import run_all
from actgen.frameworks.comparing import Task, compare
from actgen.frameworks.elsewhere import FACTS, elsewhere
from actgen.frameworks.page import render
from actgen.verify.record import FRAMEWORKS, Record
from actgen.verify.state import write_at_once

if TYPE_CHECKING:
    from actgen.spec import Activation

_INSTALLED = ("torch", "keras", "tensorflow", "jax")


def write(
    activations: Sequence[Activation], settings: Settings, page: Path, *, jobs: int | None, progress: Progress
) -> None:
    """Measure and write the page.

    Args:
        activations: all of ours.
        settings: where the generated code is.
        page: the file.
        jobs: how many processes.
        progress: told of each framework.

    Raises:
        InputError: an activation is not built.
        SpecError: a framework has no function of the name that a spec gives.
    """
    worst = _worst(settings.out)
    tasks = {}
    for framework in FRAMEWORKS:
        specs = tuple(Path(activation.path) for activation in activations if framework in activation.builtins)
        tasks[framework] = Task(framework, specs, settings.out, worst)
    # A process for each: none ever holds two frameworks.
    found = run_all(compare, tasks, workers=jobs, progress=progress, apart=True)
    comparisons = [one for part in found for one in part]
    text = render(activations, comparisons, elsewhere(), _versions())
    write_at_once(page, f"{text}\n{_seal(activations, text)}\n")


def is_current(activations: Sequence[Activation], page: Path) -> bool:
    """Whether the page was made of these specs by this code, and not edited since; nothing is run."""
    if not page.is_file():
        return False
    text, _, seal = page.read_text(encoding="utf-8").rstrip("\n").rpartition("\n")
    return seal == _seal(activations, text)


def _worst(out: Path) -> dict[str, tuple[float, ...]]:
    """Where `actgen verify` found the largest errors of ours and of built-ins in float32, by activation."""
    found: dict[str, set[float]] = {}
    for row in Record.read(out).rows:
        if row.place.dtype == "float32":
            errors = filter(None, (row.cell.ours, row.cell.builtin))
            found.setdefault(row.place.activation, set()).update(error.units_at for error in errors)
    return {name: tuple(sorted(filter(math.isfinite, points))) for name, points in found.items()}


def _seal(activations: Sequence[Activation], text: str) -> str:
    """The last line: what the page was made of, and what it says."""
    sources = sorted(path for path in FACTS.parent.iterdir() if path.suffix in (".py", ".toml"))
    known = [activation for activation in activations if activation.builtins or activation.name in elsewhere()]
    parts = [*(activation.digest for activation in known), *(digest(path.read_bytes()) for path in sources)]
    made_of = digest("\n".join(parts).encode())
    return f"<!-- made of {made_of[:16]}, says {digest(text.encode())[:16]} -->"


def _versions() -> str:
    found = []
    for name in _INSTALLED:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} {metadata.version(f'{name}-cpu')}")
    return ", ".join(found)
