"""What a target is: a name, the files it emits, and its part of the generated tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.emulation import Arithmetic

ENTRY_POINT_GROUP = "actgen.targets"


@dataclass(frozen=True)
class Entry:
    """One activation as the index of a package sees it: its names and what it is, nothing that needs SymPy."""

    name: str
    class_name: str
    aliases: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class Context:
    """What holds for a whole build: the version of actgen, and the names of the targets being emitted."""

    version: str = ""
    targets: tuple[str, ...] = ()


@runtime_checkable
class Target(Protocol):
    """A framework that actgen writes code for.

    Paths are relative to the output folder. Texts carry no header and need not be formatted: the build adds the one
    and does the other.
    """

    @property
    def name(self) -> str:
        """The name of the target and of its folder: `torch`, `keras`, `jax`."""
        ...

    @property
    def arithmetic(self) -> Arithmetic:
        """How far the operations, as the target writes them, are from exact on the worst of its machines."""
        ...

    @property
    def borrows(self) -> str:
        """The target whose emitted functions this one's modules call: "jax" for Flax; empty if it emits its own.

        One that borrows gets the lender's derivations, so has no kernels to choose, and is built only together with
        the lender. It has nothing to measure and no adaptor, unless it is a CompiledTarget.
        """
        ...

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module of one activation: {"torch/mish.py": source}."""
        ...

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the files that hold for all activations: {"torch/__init__.py": source}."""
        ...

    def emit_adaptor(self, context: Context) -> str:
        """Return the source of `tests/on_NAME.py`, through which the generated tests call the framework.

        It has five functions; arrays are NumPy float64 whatever `dtype` ("float64", "float32", "bfloat16", "float16")
        the framework computes in, and each computes all points in one call:

        - `evaluate(function, x, dtype, by=(), defaults={})`: the partial derivative by the variables `by`, found by
          automatic differentiation (none: the value), at each point. A parameter in `by` gets its default at each
          point, so that its derivative is elementwise too.
        - `evaluate_all(function, x, dtype, keys, defaults)`: for each of `keys` what `evaluate` gives for it, as a
          dictionary, compiled as one where that saves time; parameters that a key does not name are numbers at their
          defaults. Keys that the framework has no derivative for are left out.
        - `check_types_and_shapes(function, dtype)`: scalars, zero-size, many axes, non-contiguous, weak types.
        - `check_transforms(function, x)`: compiled and vectorised it gives the same as plain, derivative included.
        - `check_refusals(function)`: integers and complex numbers give the framework's own kind of error.
        """
        ...

    def emit_test(self, derivation: Derivation, context: Context) -> str:
        """Return the framework's own section of `tests/test_ACTIVATION.py`; may be empty."""
        ...


@runtime_checkable
class CompiledTarget(Target, Protocol):
    """A target that runs the kernels it borrows as machine code, in the framework of the lender.

    Its adaptor has one function more, `is_ready(name)`: whether an activation is compiled. Those that are not are not
    tested.
    """

    @property
    def script(self) -> str:
        """The emitted program, relative to the output folder, that compiles the activations named, or all.

        It takes `-j N` too, prints the names of what it compiled, and exits with a message if it cannot.
        """
        ...


class TargetError(ValueError):
    """Targets were asked for that cannot be built; the message says why and what to do."""


class UnknownTargetError(TargetError):
    """A target was asked for that nothing provides."""


class MissingLenderError(TargetError):
    """A target was asked for without the one whose functions it calls."""


def load_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets of these names, in this order, each found by its entry point.

    Raises:
        UnknownTargetError: nothing installed provides a target of that name; the message lists those that are there.
        MissingLenderError: one borrows the functions of a target that is not among the names.
        TypeError: what an entry point names is not a Target.
    """
    names = tuple(names)
    targets = []
    for name in names:
        target = _load(name)
        if target.borrows and target.borrows not in names:
            what = f"the target {name!r} calls the functions of {target.borrows!r}"
            raise MissingLenderError(f'{what}; add "{target.borrows}" to the targets')
        targets.append(target)
    return tuple(targets)


def _load(name: str) -> Target:
    available = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in available:
        known = ", ".join(sorted(available)) or "none; is actgen installed?"
        raise UnknownTargetError(f"there is no target {name!r}; installed targets: {known}")
    target = available[name].load()
    if not isinstance(target, Target):
        raise TypeError(f"the entry point {available[name].value!r} of target {name!r} is not a Target")
    return target


def with_lenders(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names with those of the targets that they borrow from, each in front of its first borrower.

    Raises:
        UnknownTargetError: nothing installed provides a target of that name.
    """
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys([lender for lender in [_load(name).borrows] if lender])
        found[name] = None
    return tuple(found)


def lenders(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Return the targets with kernels of their own."""
    return tuple(target for target in targets if not target.borrows)


def compiled(targets: Iterable[Target]) -> tuple[CompiledTarget, ...]:
    """Return the targets that compute borrowed kernels in a way of their own."""
    return tuple(target for target in targets if isinstance(target, CompiledTarget))


def wrappers(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Return the targets whose modules only call what another one computes."""
    return tuple(target for target in targets if target.borrows and not isinstance(target, CompiledTarget))
