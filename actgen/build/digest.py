"""Hashes: of a spec, of a generated file, and of everything that decides what a spec turns into."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROOMS = ("spec", "symbolic", "numerics", "targets", "build")
LIBRARIES = ("jinja2", "numpy", "python-flint", "ruff", "sympy")


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def generator_digest(targets: Iterable[str]) -> str:
    """One hash over what turns a spec into code: our sources and templates, the libraries' versions, the targets.

    It reads files and installed versions and imports none of them: this runs before anything is known to have
    changed, and SymPy alone takes longer to import than all of this. The command line is left out: it decides nothing
    about the code.
    """
    state = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            state.update(len(part).to_bytes(8, "big"))
            state.update(part)

    for path in _sources():
        add(path.relative_to(PACKAGE).as_posix().encode(), path.read_bytes())
    for library in LIBRARIES:
        add(library.encode(), metadata.version(library).encode())
    for target in targets:
        add(target.encode(), _provenance(target).encode())
    return state.hexdigest()


def _sources() -> list[Path]:
    """The package's own ``__init__`` (it holds the version) and every module and template of the rooms."""
    found = [PACKAGE / "__init__.py"]
    for room in ROOMS:
        found += [path for pattern in ("*.py", "*.j2") for path in (PACKAGE / room).rglob(pattern)]
    return sorted(found)


def _provenance(target: str) -> str:
    """The distribution and version that a target of somebody else's comes from; our own are hashed as sources."""
    if (PACKAGE / "targets" / target).is_dir():
        return "actgen"
    for entry in metadata.entry_points(group="actgen.targets", name=target):
        if entry.dist is not None:
            return f"{entry.dist.name} {entry.dist.version}"
    return "unknown"
