"""A pipeline without mathematics: a spec is a formula, and its code is one function that returns it as text."""

from __future__ import annotations

import hashlib
import os
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actgen.build import InputError, KernelRecord, Record, Settings
from actgen.build.pipeline import Emitted, Job


@dataclass(frozen=True)
class FakePipeline:
    """Emits `torch/NAME.py` and an index for each target.

    Args:
        delay: seconds that each spec takes.
        extra: further sources of every spec, by path, with {name} for the name.
        marker: a folder where each job leaves a file with its process's id.
        caution: what every spec is warned of.
        units: the error of every kernel; beyond 4 it misses the contract.
        broken: a spec at which the generator fails.
    """

    delay: float = 0.0
    extra: tuple[tuple[str, str], ...] = ()
    marker: Path | None = None
    caution: str = ""
    units: float = 0.5
    broken: str = ""

    def validate(self, specs: Path, targets: Sequence[str]) -> None:
        problems = []
        for path in sorted(specs.glob("*.toml")):
            try:
                tomllib.loads(path.read_text())["expression"]
            except (ValueError, KeyError) as error:
                problems.append(f"{path.name}: {error!r}")
        if problems:
            raise InputError("\n".join(problems))

    def examine(self, paths: Sequence[Path]) -> Sequence[str]:
        return [f"{path.name}: warning: {self.caution}" for path in paths if self.caution]

    def emit(self, job: Job) -> Emitted:
        if self.marker is not None:
            (self.marker / job.name).write_text(str(os.getpid()))
        time.sleep(self.delay)
        if job.name == self.broken:
            raise IndexError("tuple index out of range")
        content = job.path.read_bytes()
        expression = tomllib.loads(content.decode())["expression"]
        sources = {
            f"{target}/{job.name}.py": f"import os, sys\ndef {job.name}():\n    return {expression!r}, sys.path"
            for target in job.targets
        }
        sources |= {path.format(name=job.name): text.format(name=job.name) for path, text in self.extra}
        kernel = KernelRecord("as declared", self.units, 0.5, 1.0, self.units <= 4, False, (1, 0, 1))
        record = Record(
            spec=job.shown,
            digest=hashlib.sha256(content).hexdigest(),
            class_name=job.name.title(),
            aliases=(),
            summary="",
            kernels={"value": {"fake": kernel}},
            files={},
        )
        return Emitted(job.name, record, sources)

    def package(self, records: Mapping[str, Record], targets: Sequence[str]) -> Mapping[str, str]:
        names = list(records)
        return {"__init__.py": ""} | {
            f"{target}/__init__.py": f"from .{names[0]} import {names[0]}\n__all__ = {[names[0]]!r}"
            for target in targets
        }


def write_spec(folder: Path, name: str, expression: str = "x") -> Path:
    """Make a spec of that formula."""
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'expression = "{expression}"\n')
    return path


def make_project(folder: Path, *names: str, targets: tuple[str, ...] = ("torch",)) -> Settings:
    """Make a project with these specs."""
    for name in names or ("mish", "relu"):
        write_spec(folder / "specs", name)
    return Settings(specs=folder / "specs", out=folder / "generated", targets=targets, root=folder)


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and modification time of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
