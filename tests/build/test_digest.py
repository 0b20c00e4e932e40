"""What a change of invalidates the build."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actgen.build import digest as digests
from actgen.build.digest import generator_digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that a test may edit."""
    copy = tmp_path / "actgen"
    shutil.copytree(digests.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digests, "PACKAGE", copy)
    return copy


@pytest.mark.parametrize("name", ["__init__.py", "spec/load.py", "numerics/kernel.py", "build/header.py"])
def test_a_module_of_a_room_decides_about_the_code(package: Path, name: str) -> None:
    before = generator_digest(("torch",))
    (package / name).write_text((package / name).read_text() + "\n# more\n")
    assert generator_digest(("torch",)) != before


def test_a_template_decides_about_the_code(package: Path) -> None:
    before = generator_digest(("torch",))
    (package / "targets/torch/new.py.j2").write_text("")
    assert generator_digest(("torch",)) != before


def test_the_command_line_does_not(package: Path) -> None:
    before = generator_digest(("torch",))
    (package / "cli.py").write_text("")
    (package / "build/__pycache__").mkdir(exist_ok=True)
    (package / "build/notes.md").write_text("")
    assert generator_digest(("torch",)) == before


def test_the_version_of_a_library_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    before = generator_digest(("torch",))
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9")
    assert generator_digest(("torch",)) != before


def test_it_imports_nothing_heavy() -> None:
    script = (
        "import sys; from actgen.build.digest import generator_digest; generator_digest(('torch', 'another'));"
        "print(sorted({'sympy', 'numpy', 'pydantic', 'jinja2', 'flint', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
