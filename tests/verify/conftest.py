"""A small project with generated code of its own, a cache of its own, and mistakes to put into the code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actgen.build import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Two specs, their modules as they are committed, and an empty cache."""
    before = dict(os.environ)
    monkeypatch.setenv("ACTGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text("[tool.actgen]\n")
    (tmp_path / "specs").mkdir()
    for name in ("relu", "swish"):
        shutil.copy(ROOT / "specs" / f"{name}.toml", tmp_path / "specs")
        for framework in ("torch", "keras", "jax"):
            (tmp_path / "generated" / framework).mkdir(parents=True, exist_ok=True)
            source = ROOT / "generated" / framework / f"{name}.py"
            shutil.copy(source, tmp_path / "generated" / framework / source.name)
    monkeypatch.chdir(tmp_path)
    yield Settings(tmp_path / "specs", tmp_path / "generated", ("torch", "keras", "jax"), tmp_path)
    for name in set(os.environ) - set(before):
        del os.environ[name]


@pytest.fixture
def break_it(project: Settings) -> Callable[[str, str, str], None]:
    """Put a mistake into a generated module: the function's result ``y`` at ``x`` becomes something else."""

    def change(framework: str, name: str, wrong: str) -> None:
        path = project.out / framework / f"{name}.py"
        lines = [f"_right = {name}", f"def {name}(x, *args, **kwargs):", "    y = _right(x, *args, **kwargs)"]
        path.write_text("\n".join([path.read_text(), *lines, f"    return {wrong}\n"]))

    return change
