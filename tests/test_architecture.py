"""Data flows one way: a room imports only from rooms before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_layers_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_import_against_the_flow_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    for module in ("cli", "plot", "scaffold", "terminal", "facts", "catalog"):
        (tmp_path / "actgen").mkdir(exist_ok=True)
        (tmp_path / f"actgen/{module}.py").write_text("")
    for room in ("spec", "symbolic", "numerics", "targets", "build", "verify", "frameworks", "bench"):
        (tmp_path / f"actgen/{room}").mkdir()
        (tmp_path / f"actgen/{room}/__init__.py").write_text("")
    (tmp_path / "actgen/__init__.py").write_text("")
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / "actgen/spec/__init__.py").write_text("def f():\n    import actgen.numerics\n")
    result = lint_imports(tmp_path)
    assert result.returncode != 0
    assert "actgen.spec -> actgen.numerics" in result.stdout


HEAVY = ("flint", "jinja2", "keras", "jax", "matplotlib", "multiprocessing", "numpy", "pydantic", "rich", "sympy")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["build", "--help"], ["plot", "--help"]])
def test_the_command_line_starts_without_anything_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from actgen.cli import main; main(sys.argv[1:], standalone_mode=False);"
        f"print('HEAVY', sorted(set({HEAVY}) & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "HEAVY []"
