"""What a user installs: the wheel works outside a checkout, and a source distribution builds the same wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel made from a source distribution made from the checkout."""
    folder = tmp_path_factory.mktemp("packaging")
    hatchling(ROOT, "sdist", folder)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    hatchling(folder / source.name.removesuffix(".tar.gz"), "wheel", folder)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def hatchling(project: Path, kind: str, out: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(out)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def test_the_wheel_holds_specs_templates_and_the_mark_of_types(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    specs = {f"actgen/specs/{path.name}" for path in (ROOT / "specs").glob("*.toml")}
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "actgen").rglob("*.j2")}
    assert specs | templates | {"actgen/py.typed"} <= names
    assert not [name for name in names if not name.startswith(("actgen/", "actgen-"))]
    assert not [name for name in names if name.endswith((".pyc", ".orig"))]


def test_the_wheel_works_outside_a_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    wheel.extractall(installed)
    elsewhere.mkdir()

    def actgen(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "actgen", *arguments]
        environment = os.environ | {"PYTHONPATH": str(installed)}
        return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)

    listed = actgen("list")
    assert listed.returncode == 0, listed.stderr
    assert "leaky_relu" in listed.stdout
    (elsewhere / "specs").mkdir()
    (elsewhere / "specs/mine.toml").write_bytes(wheel.read("actgen/specs/relu.toml").replace(b"relu", b"linear"))
    built = actgen("build", "--out", "src/my_package/activations")
    assert built.returncode == 0, built.stderr
    emitted = elsewhere / "src/my_package/activations"
    assert (emitted / "torch/mine.py").is_file()
    imports = re.compile(r"^\s*(?:from|import)\s+(actgen|generated|activations|sympy)\b", re.MULTILINE)
    assert not [path for path in emitted.rglob("*.py") if imports.search(path.read_text(encoding="utf-8"))]


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {normalise(re.split(r"[<>=;\[ ]", requirement)[0]) for requirement in wanted} - {"actgen", "tensorflow"}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    assert names <= {normalise(pin.split("==")[0]) for pin in pins}


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
