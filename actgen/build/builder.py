"""The build itself, from settings to files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actgen import __version__
from actgen.build import manifest as manifests
from actgen.build.difference import unified_difference
from actgen.build.digest import digest
from actgen.build.errors import BuildError, HandEditedError, InputError
from actgen.build.formatting import format_tree
from actgen.build.header import COMMENTS, with_header
from actgen.build.manifest import Manifest, is_inside
from actgen.build.pipeline import Emitted, Job, Pipeline, Toolchain
from actgen.build.plan import Plan, make_plan
from actgen.build.progress import Progress, Silence
from actgen.build.settings import Settings
from actgen.build.writing import collect, find_changed, find_foreign, install, stage, staging_folder


@dataclass(frozen=True)
class Report:
    """What a build did, or with ``check`` what it would do.

    Args:
        total: activations in all.
        derived: activations that were derived anew, by name.
        written: files written, relative to the output folder.
        removed: files removed, relative to the output folder.
        difference: a unified diff from what lies there to what belongs there; only with ``check``.
        manifest: what belongs there.
        cautions: what to warn of in the specs that were derived anew, a paragraph each.
    """

    total: int
    derived: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]
    difference: str
    manifest: Manifest
    cautions: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What was done, in a line."""
        if not (self.derived or self.written or self.removed):
            return f"{self.total} activations, up to date"
        counts = [f"{len(self.derived)} derived", f"{len(self.written)} files written"]
        counts += [f"{len(self.removed)} removed"] if self.removed else []
        return f"{self.total} activations: {', '.join(counts)}"

    @property
    def misses(self) -> list[str]:
        """What misses the accuracy contract: a line a kernel that was derived anew, one line for all others."""
        missed = self.manifest.missed
        own = [line for name in self.derived for line in missed.get(name, [])]
        others = [len(lines) for name, lines in missed.items() if name not in self.derived]
        told = ["The accuracy contract is missed in emulated arithmetic by", *own] if own else []
        if others:
            who = f"{sum(others)} kernels of {len(others)} activations that were left as they are"
            told.append(f"The accuracy contract is missed by {who}; `actgen check` lists them")
        return told

    @property
    def is_fresh(self) -> bool:
        """Whether everything was as it should be."""
        return not self.written and not self.removed and not self.difference


def build(
    settings: Settings,
    *,
    check: bool = False,
    force: bool = False,
    overwrite: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
    pipeline: Pipeline | None = None,
) -> Report:
    """Bring the output folder up to date with the specs.

    Args:
        settings: what to read and where to write.
        check: write nothing, only report what is stale.
        force: derive everything again, whatever the hashes say.
        overwrite: replace files that were edited by hand, or that are in the way.
        jobs: the number of processes; None for one on each processor.
        progress: told of each activation that is done.
        pipeline: what turns a spec into source; the project's own by default.

    Raises:
        HandEditedError: files would be lost; nothing was written.
        SpecError: specs are wrong (all problems of all files); nothing was written.
        InputError: there is nothing to build, or the manifest cannot be read.
        BuildError: a target emitted what cannot be written.
    """
    pipeline = pipeline or Toolchain()
    previous = _read_manifest(settings.out, overwrite=overwrite)
    plan = make_plan(settings, previous, force=force)
    if plan.is_fresh:
        return Report(len(plan.sources), (), (), (), "", previous)
    if plan.edited and not (check or overwrite):
        raise HandEditedError(_shown(settings, plan.edited))
    # Imported once there is something to do: processes and pipes take a while to import.
    from actgen.build.workers import run_all

    pipeline.validate(settings.specs, settings.targets)
    cautions = tuple(pipeline.examine([source.path for source in plan.stale]))
    # What took long is begun first, lest one process ends up with it while the others have nothing left to do.
    longest_first = sorted(plan.stale, key=lambda source: previous.effort(source.name), reverse=True)
    emitted = run_all(
        pipeline.emit,
        {source.name: Job(source.name, source.path, source.shown, settings.targets, force) for source in longest_first},
        workers=jobs,
        progress=progress or Silence(),
    )
    emitted.sort(key=lambda one: one.name)
    # A check writes nothing beside the output either: that folder may be read-only.
    with tempfile.TemporaryDirectory() if check else staging_folder(settings.out) as folder:
        staging = Path(folder)
        manifest, files = _render(staging, settings, plan, emitted, pipeline)
        changed = find_changed(settings.out, files)
        removed = sorted(set(previous.files) - set(manifest.files))
        if check:
            difference = unified_difference(settings, plan, manifest, files, changed, removed)
        else:
            difference = ""
            foreign = find_foreign(settings.out, files, previous)
            if foreign and not overwrite:
                raise HandEditedError((), _shown(settings, foreign))
            install(staging, settings.out, files, previous, manifest)
    derived = tuple(source.name for source in plan.stale)
    return Report(len(plan.sources), derived, tuple(changed), tuple(removed), difference, manifest, cautions)


def _read_manifest(out: Path, *, overwrite: bool) -> Manifest:
    try:
        return Manifest.read(out)
    except InputError:
        if overwrite:
            return Manifest()
        raise


def _render(
    staging: Path, settings: Settings, plan: Plan, emitted: Sequence[Emitted], pipeline: Pipeline
) -> tuple[Manifest, dict[str, bytes]]:
    """Format what was emitted, in the staging folder; its content, and the manifest of all that will be there."""
    wanted = {source.name for source in plan.sources}
    records = {name: record for name, record in plan.previous.activations.items() if name in wanted}
    records |= {result.name: result.record for result in emitted}
    records = dict(sorted(records.items()))
    package = pipeline.package(records, settings.targets)
    _refuse_collisions([*((result.name, result.sources) for result in emitted), ("the package", package)])

    sources: dict[str, str] = {}
    for result in emitted:
        sources |= _headed(result.sources, result.record.spec)
    sources |= _headed(package, None)
    stage(staging, sources)
    format_tree(staging)
    files = collect(staging, sources)

    hashes = {name: digest(content) for name, content in files.items()}
    for result in emitted:
        records[result.name] = replace(result.record, files={name: hashes[name] for name in sorted(result.sources)})
    manifest = Manifest(
        version=__version__,
        generator=plan.generator,
        targets=settings.targets,
        activations=records,
        package={name: hashes[name] for name in sorted(package)},
    )
    return manifest, files


def _headed(sources: Mapping[str, str], spec: str | None) -> dict[str, str]:
    return {
        name: with_header(source, spec, COMMENTS[suffix]) if (suffix := Path(name).suffix) in COMMENTS else source
        for name, source in sources.items()
    }


def _refuse_collisions(parts: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Two owners of a file, or a file outside the output folder, are a bug in a target."""
    owners: dict[str, str] = {}
    for owner, sources in parts:
        for name in sources:
            if not is_inside(name) or name == manifests.NAME:
                raise BuildError(f"a target emitted {name!r} for {owner}, which is not a path of its own in the output")
            if name in owners:
                raise BuildError(f"a target emitted {name} both for {owners[name]} and for {owner}")
            owners[name] = owner


def _shown(settings: Settings, names: Sequence[str]) -> list[str]:
    return [settings.display(settings.out / name) for name in names]
