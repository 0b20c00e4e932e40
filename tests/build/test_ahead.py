"""`actgen build --compile`: what is compiled, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from actgen.build import BuildError, InputError, Settings
from actgen.build.ahead import compile_ahead
from actgen.cli import main


def settings(folder: Path, *targets: str) -> Settings:
    return Settings(folder / "specs", folder / "out", targets, folder)


def script(folder: Path, text: str) -> None:
    """Put a program where the target `torch_fused` emits the one that compiles."""
    place = folder / "out/torch_fused/_compiling.py"
    place.parent.mkdir(parents=True)
    place.write_text(text)


def test_the_emitted_program_compiles_and_names_what_it_did(tmp_path: Path) -> None:
    script(tmp_path, "import sys, json; print('mish', *sys.argv[1:])")
    (tmp_path / "out/torch_fused/json.py").write_text("raise ImportError('an activation hides a module')")
    assert compile_ahead(settings(tmp_path, "torch", "torch_fused"), 3) == ("mish", "-j", "3")
    assert compile_ahead(settings(tmp_path, "torch", "torch_fused")) == ("mish",)


def test_what_it_complains_about_is_the_error(tmp_path: Path) -> None:
    script(tmp_path, "import sys; sys.exit('there is no C++ compiler')")
    with pytest.raises(BuildError, match=r"torch_fused: there is no C\+\+ compiler"):
        compile_ahead(settings(tmp_path, "torch", "torch_fused"))


def test_without_a_target_that_is_compiled_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of the targets torch, jax none is compiled; add torch_fused"):
        compile_ahead(settings(tmp_path, "torch", "jax"))


def test_without_the_framework_it_is_said_what_to_install(tmp_path: Path) -> None:
    """After the first of README's commands there is none; a traceback of emitted code is no answer."""
    script(tmp_path, "import a_framework_that_is_not_there")
    with pytest.raises(BuildError) as caught:
        compile_ahead(settings(tmp_path, "torch", "torch_fused"))
    expected = "torch_fused: No module named 'a_framework_that_is_not_there'; `pip install actgen[torch]`"
    assert str(caught.value) == expected


def test_nothing_is_written_where_nothing_that_is_asked_for_is_compiled(tmp_path: Path) -> None:
    """A build for `torch` alone takes away the files of other targets; the flag that is wrong comes first."""
    (tmp_path / "specs").mkdir()
    arguments = ["build", "--specs", str(tmp_path / "specs"), "--out", str(tmp_path / "out"), "--target", "torch"]
    result = CliRunner().invoke(main, [*arguments, "--compile"])
    assert result.exit_code == 2
    assert "of the targets torch none is compiled" in result.output
    assert not (tmp_path / "out").exists()
