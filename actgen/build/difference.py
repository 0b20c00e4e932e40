"""What ``actgen build --check`` shows: a unified diff from what lies in the output folder to what belongs there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from actgen.build import manifest as manifests
from actgen.build.manifest import Manifest
from actgen.build.plan import Plan
from actgen.build.settings import Settings


def unified_difference(
    settings: Settings,
    plan: Plan,
    manifest: Manifest,
    files: Mapping[str, bytes],
    changed: Sequence[str],
    removed: Sequence[str],
) -> str:
    """The diff of every file to write or to remove, and of the manifest; empty if nothing is stale.

    The manifest's hash of the generator is not compared: it changes with every edit of actgen's own source, and
    whoever only reads the code is served just as well by output that is the same.
    """
    parts = [_compare(settings, name, _read(settings, name), files[name]) for name in changed]
    parts += [_compare(settings, name, _read(settings, name), b"") for name in removed]
    before = replace(plan.previous, generator=manifest.generator, pending={}).dump().encode()
    if not _read(settings, manifests.NAME):
        before = b""
    parts.append(_compare(settings, manifests.NAME, before, manifest.dump().encode()))
    return "".join(parts)


def _read(settings: Settings, name: str) -> bytes:
    try:
        return (settings.out / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""


def _compare(settings: Settings, name: str, before: bytes, after: bytes) -> str:
    shown = settings.display(settings.out / name)
    old, new = (content.decode(errors="replace").splitlines(keepends=True) for content in (before, after))
    lines = difflib.unified_diff(
        old, new, f"a/{shown}" if before else "/dev/null", f"b/{shown}" if after else "/dev/null"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
