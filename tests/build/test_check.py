"""`actgen build --check`: it writes nothing, and shows what is stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from actgen.build import build
from tests.build.fakes import FakePipeline, make_project, tree, write_spec

FAKE = FakePipeline()


def test_a_check_of_a_fresh_tree_is_fresh(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    assert build(settings, pipeline=FAKE, check=True).is_fresh
    assert build(settings, pipeline=FAKE, check=True, force=True).is_fresh


def test_a_check_shows_a_diff_and_writes_nothing(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    write_spec(settings.specs, "mish", "2*x")
    before = tree(tmp_path)
    report = build(settings, pipeline=FAKE, check=True)
    assert not report.is_fresh
    assert "--- a/generated/torch/mish.py\n+++ b/generated/torch/mish.py\n" in report.difference
    assert '-    return "x", sys.path\n+    return "2*x", sys.path\n' in report.difference
    assert tree(tmp_path) == before


def test_a_check_before_the_first_build_makes_no_folder(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    report = build(settings, pipeline=FAKE, check=True)
    assert "--- /dev/null\n+++ b/generated/torch/mish.py\n" in report.difference
    assert sorted(path.name for path in tmp_path.iterdir()) == ["specs"]


def test_a_check_shows_what_an_edit_by_hand_changed(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    path = settings.out / "torch/mish.py"
    path.write_text(path.read_text() + "# mine\n")
    assert "-# mine\n" in build(settings, pipeline=FAKE, check=True).difference


def test_a_check_shows_files_to_remove(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    (settings.specs / "relu.toml").unlink()
    difference = build(settings, pipeline=FAKE, check=True).difference
    assert "--- a/generated/torch/relu.py\n+++ /dev/null\n" in difference


def test_a_forced_check_sees_what_the_hashes_cannot(tmp_path: Path) -> None:
    settings = make_project(tmp_path, "mish")
    build(settings, pipeline=FAKE)
    other = FakePipeline(extra=(("torch/{name}_more.py", "print()"),))
    assert build(settings, pipeline=other, check=True).is_fresh
    assert "mish_more.py" in build(settings, pipeline=other, check=True, force=True).difference


def test_another_generator_that_writes_the_same_is_not_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    monkeypatch.setattr("actgen.build.plan.generator_digest", lambda targets: "another")
    report = build(settings, pipeline=FAKE, check=True)
    assert report.derived == ("mish", "relu")
    assert report.is_fresh


def test_a_figure_in_the_manifest_that_is_not_what_is_measured_is_stale(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    build(settings, pipeline=FAKE)
    manifest = settings.out / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"ulps": 0.5', '"ulps": 0.1', 1))
    difference = build(settings, pipeline=FAKE, check=True, force=True).difference
    assert '"ulps": 0.1' in difference
