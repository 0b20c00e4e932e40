"""A build that is stopped in the middle: whole files, no stray processes, and the next build carries on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actgen.build import Manifest, Settings, build, writing
from tests.build.fakes import FakePipeline, make_project, tree, write_spec

FAKE = FakePipeline()
NAMES = ("alpha", "beta", "delta", "gamma")
ROOT = Path(__file__).resolve().parents[2]


class Killed(BaseException):
    """What ends a build in a test as a signal would, past every handler."""


def killed_after(count: int) -> Callable[[Path, Path], None]:
    """An `os.replace` that fails after so many files."""
    done = 0
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        nonlocal done
        if done == count:
            raise Killed
        done += 1
        replace(source, target)

    return fail


@pytest.mark.parametrize("count", range(8))
def test_a_build_killed_between_two_files_is_not_taken_for_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    settings = make_project(tmp_path, *NAMES)
    build(settings, pipeline=FAKE)
    for name in NAMES:
        write_spec(settings.specs, name, "2*x")
    (settings.specs / "gamma.toml").unlink()
    write_spec(settings.specs, "omega")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed_after(count))
        try:
            build(settings, pipeline=FAKE)
        except Killed:
            assert count < 7
    # The spec changes once more, so the file left half-way is neither the old one nor what comes next.
    write_spec(settings.specs, "alpha", "3*x")
    build(settings, pipeline=FAKE)
    expected = make_project(tmp_path / "clean", "alpha", "beta", "delta", "omega")
    for name, expression in (("alpha", "3*x"), ("beta", "2*x"), ("delta", "2*x"), ("omega", "x")):
        write_spec(expected.specs, name, expression)
    build(expected, pipeline=FAKE)
    assert {name: content for name, (content, _) in tree(settings.out).items()} == {
        name: content for name, (content, _) in tree(expected.out).items()
    }
    assert build(settings, pipeline=FAKE).is_fresh
    assert Manifest.read(settings.out).pending == {}


def test_an_edit_after_a_killed_build_is_still_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_project(tmp_path, *NAMES)
    build(settings, pipeline=FAKE)
    for name in NAMES:
        write_spec(settings.specs, name, "2*x")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed_after(3))
        with pytest.raises(Killed):
            build(settings, pipeline=FAKE)
    (settings.out / "torch/alpha.py").write_text("mine\n")
    with pytest.raises(Exception, match="edited by hand"):
        build(settings, pipeline=FAKE)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_build_killed_while_it_moves_files_leaves_whole_files_and_the_next_carries_on(tmp_path: Path) -> None:
    settings = make_project(tmp_path, *NAMES)
    build(settings, pipeline=FAKE)
    before = tree(settings.out)
    for name in NAMES:
        write_spec(settings.specs, name, "2*x")
    script = (
        "import os, signal\n"
        "from tests.build.test_interruption import *\n"
        "replace, count = os.replace, iter(range(9))\n"
        "def kill(*paths):\n"
        "    if next(count) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    replace(*paths)\n"
        "os.replace = kill\n"
        f"build(make_project_at({str(tmp_path)!r}), pipeline=FAKE, jobs=1)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert result.returncode == -signal.SIGKILL
    killed = tree(settings.out)
    changed = {name for name in killed if killed[name] != before[name]}
    assert changed == {"manifest.json", "torch/alpha.py", "torch/beta.py"}
    assert all(b"2*x" in killed[name][0] for name in changed - {"manifest.json"})
    build(settings, pipeline=FAKE)
    assert all(b"2*x" in (settings.out / f"torch/{name}.py").read_bytes() for name in NAMES)
    assert build(settings, pipeline=FAKE).is_fresh


def make_project_at(folder: str) -> Settings:
    """The settings of a project that is there already."""
    root = Path(folder)
    return Settings(specs=root / "specs", out=root / "generated", targets=("torch",), root=root)


SCRIPT = """
import sys
from pathlib import Path
from actgen.build import build
from tests.build.fakes import FakePipeline, make_project

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    settings = make_project(folder, *"abcdef")
    build(settings, pipeline=FakePipeline(delay=60, marker=folder / "marks"), jobs=2)
"""


def start_build(folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A build in a process of its own, and the ids of its two workers once both are at work."""
    marks = folder / "marks"
    marks.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_until(lambda: len([mark for mark in marks.iterdir() if mark.read_text()]) == 2)
    return process, [int(mark.read_text()) for mark in marks.iterdir()]


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_stopped_leaves_no_process_and_no_file(tmp_path: Path, kind: signal.Signals) -> None:
    process, workers = start_build(tmp_path)
    if kind == signal.SIGINT:
        os.killpg(process.pid, kind)  # as a terminal sends it: to the workers too
    else:
        process.send_signal(kind)
    assert process.wait(timeout=30) != 0
    wait_until(lambda: not any(map(is_alive, workers)), seconds=30)
    assert not (tmp_path / "generated").exists()
    assert not list(tmp_path.glob(".*"))
    assert process.stderr is not None
    process.stderr.close()


def test_the_staging_folder_of_a_killed_build_is_removed_by_a_later_one(tmp_path: Path) -> None:
    settings = make_project(tmp_path)
    left, recent = tmp_path / ".generated.actgen-left", tmp_path / ".generated.actgen-recent"
    for folder in (left, recent):
        folder.mkdir()
        (folder / "mish.py").write_text("half")
    old = time.time() - 2 * writing.ABANDONED_AFTER
    os.utime(left, (old, old))
    build(settings, pipeline=FAKE)
    assert not left.exists()
    assert recent.exists(), "it may belong to a build that is running"
