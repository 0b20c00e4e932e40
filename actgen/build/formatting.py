"""Generated Python as ruff formats it: imports sorted, unused ones gone, 100 columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from actgen.build.errors import BuildError

# Everything is spelled out, and no configuration of the project around is read: output is the same everywhere. `src`
# is empty, or ruff would take the folder `torch` that it formats for the package `torch` that is imported.
CONFIGURATION = """\
line-length = 100
target-version = "py311"
src = []
respect-gitignore = false

[lint]
select = ["F", "I"]
"""


def format_tree(folder: Path) -> None:
    """Format every Python file below a folder in place, in two runs of ruff whatever their number.

    Raises:
        BuildError: a file is not valid Python or uses a name that it does not define. That is a bug in a target.
    """
    configuration = folder / "ruff.toml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    try:
        _run_ruff(folder, ["check", "--fix", "--quiet", "--output-format", "concise"])
        _run_ruff(folder, ["format", "--quiet"])
    finally:
        configuration.unlink()


def _run_ruff(folder: Path, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "--config", "ruff.toml", "."]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        message = (result.stdout + result.stderr).strip()
        raise BuildError(f"a target emitted source that ruff refuses; this is a bug in that target:\n{message}")
