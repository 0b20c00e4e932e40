"""What a build has to do, from hashes alone: which specs changed, which files are gone, edited, or no longer wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actgen.build.digest import digest, generator_digest
from actgen.build.errors import InputError
from actgen.build.manifest import Manifest
from actgen.build.settings import Settings


@dataclass(frozen=True)
class Source:
    """A spec file as it lies on the disk: its path, its path for headers, and the hash of its bytes."""

    name: str
    path: Path
    shown: str
    digest: str


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Args:
        sources: every spec, sorted by name.
        generator: hash of what turns a spec into code.
        previous: what the last build wrote.
        stale: the specs to derive again, sorted by name.
        removed: the activations of the last build whose spec is gone.
        edited: files whose content is not what the last build wrote, sorted.
        missing: files the last build wrote that are gone, sorted.
    """

    sources: tuple[Source, ...]
    generator: str
    previous: Manifest
    stale: tuple[Source, ...]
    removed: tuple[str, ...]
    edited: tuple[str, ...]
    missing: tuple[str, ...]
    is_fresh: bool


def make_plan(settings: Settings, previous: Manifest, *, force: bool) -> Plan:
    """Compare the specs and the output folder with what the last build recorded.

    Raises:
        InputError: the folder holds no spec.
    """
    sources = _find_sources(settings)
    generator = generator_digest(settings.targets)
    edited, missing = _compare(settings.out, previous)
    damaged = {*edited, *missing}
    is_same_generator = (previous.generator, previous.targets) == (generator, settings.targets)

    def is_stale(source: Source) -> bool:
        record = previous.activations.get(source.name)
        return (
            force
            or not is_same_generator
            or record is None
            or (record.spec, record.digest) != (source.shown, source.digest)
            or not damaged.isdisjoint(record.files)
        )

    stale = tuple(source for source in sources if is_stale(source))
    removed = tuple(sorted(set(previous.activations) - {source.name for source in sources}))
    return Plan(
        sources=sources,
        generator=generator,
        previous=previous,
        stale=stale,
        removed=removed,
        edited=edited,
        missing=missing,
        is_fresh=not stale and not removed and not damaged and not previous.pending,
    )


def _find_sources(settings: Settings) -> tuple[Source, ...]:
    try:
        found = tuple(
            Source(path.stem, path, settings.display(path), digest(path.read_bytes()))
            for path in sorted(settings.specs.glob("*.toml"))
            if not path.name.startswith(".")
        )
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not found:
        raise InputError(f"{settings.display(settings.specs)}: no spec (*.toml) in this folder")
    return found


def _compare(out: Path, previous: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that differ from what was written, and those that are gone."""
    edited, missing = [], []
    written: Mapping[str, str] = previous.files
    for name in sorted({*written, *previous.pending}):
        try:
            found = hashlib.sha256((out / name).read_bytes()).hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            if name in written:
                missing.append(name)
            continue
        if found not in (written.get(name), previous.pending.get(name)):
            edited.append(name)
    return tuple(edited), tuple(missing)
