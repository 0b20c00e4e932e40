"""One spec from its file to source text: load, derive, emit. The only part of a build that imports SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from actgen import __version__
from actgen.build.errors import InputError
from actgen.build.manifest import KernelRecord, Record, partial_name
from actgen.build.settings import shorten

if TYPE_CHECKING:
    from actgen.numerics import Judgement, Kernel


@dataclass(frozen=True)
class Job:
    """One spec to turn into code: its path to read, its path to name in headers, and the targets.

    ``anew`` says that nothing is to be taken from what was chosen before.
    """

    name: str
    path: Path
    shown: str
    targets: tuple[str, ...]
    anew: bool = False


@dataclass(frozen=True)
class Emitted:
    """What a spec became: sources by path relative to the output folder, unformatted and without header.

    ``record`` holds no files yet: their hashes are known once they are formatted.
    """

    name: str
    record: Record
    sources: Mapping[str, str]


class Pipeline(Protocol):
    """What a build runs between the files it reads and the files it writes; picklable, as it runs in processes."""

    def validate(self, specs: Path, targets: Sequence[str]) -> None:
        """Find all targets and read all specs; raise one error with all problems of all files."""

    def examine(self, paths: Sequence[Path]) -> Sequence[str]:
        """Look at specs that are to be derived; raise one error with all problems, return what to warn of."""

    def emit(self, job: Job) -> Emitted:
        """Derive and emit one activation."""

    def package(self, records: Mapping[str, Record], targets: Sequence[str]) -> Mapping[str, str]:
        """The sources that belong to no single spec, by path relative to the output folder."""


class Toolchain:
    """The pipeline made of the project's rooms. Each is imported where it is first needed."""

    def validate(self, specs: Path, targets: Sequence[str]) -> None:
        """Find all targets and read all specs; raise one SpecError with all problems of all files."""
        from actgen.spec import load_specs
        from actgen.targets.target import TargetError, load_targets

        try:
            load_targets(targets)
        except TargetError as error:
            raise InputError(str(error)) from error
        load_specs(shorten(specs))

    def examine(self, paths: Sequence[Path]) -> Sequence[str]:
        """Look at specs that are to be derived; raise one SpecError with all problems, return what to warn of."""
        from actgen.spec import load_spec
        from actgen.symbolic.examination import examine_all

        return [str(caution) for caution in examine_all(load_spec(shorten(path)) for path in paths)]

    def emit(self, job: Job) -> Emitted:
        """Derive and emit one activation."""
        from actgen.numerics import derive_for, pair_table, reference_table, remembering
        from actgen.spec import load_spec
        from actgen.targets import Context, load_targets
        from actgen.targets.suite import emit_gated_test, emit_test
        from actgen.targets.target import lenders

        activation = load_spec(shorten(job.path))
        context, targets = Context(__version__, job.targets), load_targets(job.targets)
        if activation.kind == "axiswise":
            from actgen.build import axiswise

            return Emitted(job.name, *axiswise.emit(activation, job.shown, targets, context))
        with remembering(anew=job.anew):
            derivations = derive_for(activation, {target.name: target.arithmetic for target in lenders(targets)})
        one = derivations[lenders(targets)[0].name]
        if activation.kind == "gated":
            sources = emit_gated_test(derivations, pair_table(one), targets, context)
        else:
            sources = emit_test(derivations, reference_table(one, "float32"), targets, context)
        for target in targets:
            sources |= target.emit(derivations[target.borrows or target.name], context)
        kernels = {
            partial_name(variables): {
                name: _kernel_record(derivation.kernels[variables], derivation.judgements[variables])
                for name, derivation in sorted(derivations.items())
            }
            for variables in one.kernels
        }
        record = Record(
            spec=job.shown,
            digest=activation.digest,
            class_name=activation.class_name,
            aliases=activation.aliases,
            summary=activation.summary,
            kernels=kernels,
            files={},
        )
        return Emitted(job.name, record, sources)

    def package(self, records: Mapping[str, Record], targets: Sequence[str]) -> Mapping[str, str]:
        """The ``__init__`` of each target's package and of the whole, and what the tests share."""
        from actgen.targets import Context, Entry, load_targets
        from actgen.targets.suite import emit_neighbours

        index = [Entry(name, record.class_name, record.aliases, record.summary) for name, record in records.items()]
        context, loaded = Context(__version__, tuple(targets)), load_targets(targets)
        sources = emit_neighbours(loaded, context)
        for target in loaded:
            sources |= target.emit_package(index, context)
        return sources


def _kernel_record(kernel: Kernel, judgement: Judgement) -> KernelRecord:
    return KernelRecord(
        form=kernel.form,
        units=_rounded(judgement.units),
        ulps=_rounded(judgement.ulps),
        at=judgement.at,
        is_within_contract=judgement.is_within_contract,
        is_certified=judgement.is_certified,
        cost=kernel.cost.key,
    )


def _rounded(error: float) -> float:
    """Three digits: what was measured means no more, and the last bits may differ between processors."""
    return float(f"{float(error):.3g}")
