"""Where settings come from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actgen.build import InputError, find_settings, packaged_specs
from actgen.build.settings import own_specs


def project(folder: Path, table: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(table)
    return folder


def test_paths_in_the_table_are_relative_to_its_file(tmp_path: Path) -> None:
    project(tmp_path, '[tool.actgen]\nspecs = "my_specs"\nout = "src/made"\ntargets = ["jax"]\n')
    (tmp_path / "my_specs").mkdir()
    (tmp_path / "deep/inside").mkdir(parents=True)
    settings = find_settings(tmp_path / "deep/inside")
    assert (settings.specs, settings.out) == (tmp_path / "my_specs", tmp_path / "src/made")
    assert settings.targets == ("jax",)
    assert settings.root == tmp_path


def test_flags_win_and_are_relative_to_the_working_folder(tmp_path: Path) -> None:
    project(tmp_path, '[tool.actgen]\nspecs = "specs"\n')
    here = tmp_path / "here"
    (here / "mine").mkdir(parents=True)
    settings = find_settings(here, specs=Path("mine"), out=Path("../made"), targets=("torch", "torch", "jax"))
    assert (settings.specs, settings.out) == (here / "mine", tmp_path / "made")
    assert settings.targets == ("torch", "jax")


def test_a_target_named_by_a_flag_brings_what_it_is_built_upon(tmp_path: Path) -> None:
    project(tmp_path, "[tool.actgen]\n")
    (tmp_path / "specs").mkdir()
    assert find_settings(tmp_path, targets=("keras", "torch_fused")).targets == ("keras", "torch", "torch_fused")
    assert find_settings(tmp_path, targets=("flax", "jax", "equinox")).targets == ("jax", "flax", "equinox")


def test_a_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    project(tmp_path, '[tool.actgen]\nout = "made"\n')
    inner = project(tmp_path / "inner", "[tool.other]\n")
    assert find_settings(inner).out == tmp_path / "made"


def test_outside_a_project_the_specs_are_those_of_the_package(tmp_path: Path) -> None:
    settings = find_settings(tmp_path)
    assert settings.specs == packaged_specs()
    assert (settings.specs / "mish.toml").is_file()
    assert settings.out == tmp_path / "generated"
    assert settings.display(settings.specs / "mish.toml") == "actgen/specs/mish.toml"


def test_specs_beside_are_preferred_to_those_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/mine.toml").write_text("")
    assert find_settings(tmp_path).specs == tmp_path / "specs"
    assert own_specs(tmp_path) == tmp_path / "specs"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[tool.actgen]\nspec = "x"\n', "has no key 'spec'; there are specs, out, targets"),
        ("[tool.actgen]\nspecs = 3\n", "specs must be the path of a folder"),
        ('[tool.actgen]\ntargets = "torch"\n', "targets must be a list of names"),
        ("[tool.actgen]\ntargets = [1]\n", "targets must be a list of names"),
        ("[tool.actgen]\ntargets = []\n", "targets is an empty list"),
        ("[tool]\nactgen = 1\n", "must be a table"),
        ("[tool.actgen\n", "not valid TOML"),
        ('[tool.actgen]\nspecs = "nowhere"\n', "nowhere: there is no such folder of specs"),
        ('[tool.actgen]\nout = "."\n', "the output needs a folder of its own"),
    ],
)
def test_a_wrong_table_is_bad_input(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        find_settings(project(tmp_path, table))


def test_specs_inside_the_output_are_refused(tmp_path: Path) -> None:
    (tmp_path / "made/specs").mkdir(parents=True)
    with pytest.raises(InputError, match="a folder of its own"):
        find_settings(tmp_path, specs=Path("made/specs"), out=Path("made"))


def test_a_path_for_a_header_is_never_absolute_and_never_breaks_its_line(tmp_path: Path) -> None:
    outside = tmp_path / "a\nb"
    outside.mkdir()
    (tmp_path / "project").mkdir()
    settings = find_settings(tmp_path / "project", specs=outside)
    shown = settings.display(outside / "mish.toml")
    assert shown == "a\\nb/mish.toml"
    assert not os.path.isabs(shown)
