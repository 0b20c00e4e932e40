"""Files moved into place, each at once: a build that is interrupted leaves the old file or the new one, never half.

The order is what makes it safe to kill: first a manifest that says what is about to be moved (``pending``), then the
files, then the orphans, last the manifest. The next build takes a file that it finds half-way for its own work.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from actgen.build import manifest as manifests
from actgen.build.digest import digest
from actgen.build.header import is_ours
from actgen.build.manifest import Manifest

ABANDONED_AFTER = 3600.0
"""Seconds after which a staging folder must be that of a killed build; one is in use for a few."""


@contextmanager
def staging_folder(out: Path) -> Iterator[Path]:
    """A folder beside the output, on the same file system; removed afterwards, like those of builds that were killed.

    Its one child has the name of the output folder, so that files refer to each other there as they will in place.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.actgen-"
    for left in out.parent.glob(f"{prefix}*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > ABANDONED_AFTER:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stage(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files below a folder, as UTF-8 with line feeds on every system."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")


def collect(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The content of the files below a folder."""
    return {name: (folder / name).read_bytes() for name in names}


def find_changed(out: Path, files: Mapping[str, bytes]) -> list[str]:
    """The files that are missing in the output folder or hold something else, sorted."""
    return sorted(name for name, content in files.items() if _content(out / name) != content)


def find_foreign(out: Path, names: Iterable[str], previous: Manifest) -> list[str]:
    """The files in the way that no build wrote, sorted: neither in the manifest nor with our header."""
    known = {*previous.files, *previous.pending}
    foreign = []
    for name in sorted(set(names) - known):
        content = _content(out / name)
        if content is not None and not is_ours(content):
            foreign.append(name)
    return foreign


def install(staging: Path, out: Path, files: Mapping[str, bytes], previous: Manifest, manifest: Manifest) -> None:
    """Bring the output folder to what the manifest says.

    Args:
        staging: a folder of :func:`staging_folder` that holds ``files``.
        out: the output folder.
        files: the content of every file that may differ from what lies there.
        previous: what the last build wrote.
        manifest: what will be there.
    """
    changed = find_changed(out, files)
    orphans = sorted({*previous.files, *previous.pending} - set(manifest.files))
    if changed or orphans:
        pending = {**previous.pending, **{name: digest(files[name]) for name in changed}}
        _write_manifest(staging, out, replace(previous, pending=pending))
    for name in changed:
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging / name, target)
    for name in orphans:
        _remove(out, name)
    _write_manifest(staging, out, manifest)


def _write_manifest(staging: Path, out: Path, manifest: Manifest) -> None:
    content = manifest.dump().encode()
    if _content(out / manifests.NAME) == content:
        return
    out.mkdir(parents=True, exist_ok=True)
    (staging / manifests.NAME).write_bytes(content)
    os.replace(staging / manifests.NAME, out / manifests.NAME)


def _remove(out: Path, name: str) -> None:
    """Remove a file, what Python compiled from it, and the folders that this leaves empty."""
    path = out / name
    path.unlink(missing_ok=True)
    cache = path.parent / "__pycache__"
    for compiled in cache.glob(f"{path.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)
    for folder in (cache, *path.parents):
        if folder != cache and not folder.is_relative_to(out):
            break
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
