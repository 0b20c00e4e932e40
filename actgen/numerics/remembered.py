"""Choices kept on disk between runs: which kernel won for a formula, by everything that decides it.

The search for a form is what a build takes its time for, and most changes of the generator, of a template say, do not
touch it. A choice is named by the digest of the formula, its parameters' values, the machines, and the sources of the
modules that decide. What a file says is checked against a digest of it, like the tables of
:mod:`actgen.numerics.cache`.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import sympy as sp

from actgen.numerics import choice
from actgen.numerics.cache import folder, read_checked, write_checked
from actgen.numerics.choice import choose_kernels
from actgen.numerics.emulation import Arithmetic
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Call, Constant, Cost, Kernel, Node, Variable
from actgen.numerics.race import Judgement, Trial

Choices = list[tuple[Kernel, Judgement]]
Use = Literal["never", "read and write", "write only"]

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("numpy", "python-flint", "sympy")

_use: ContextVar[Use] = ContextVar("use", default="never")


@dataclass(frozen=True)
class Question:
    """A formula to choose a kernel for: what a :class:`Judge` is made of."""

    expression: sp.Expr
    x: sp.Symbol
    parameters: Sequence[sp.Symbol]
    settings: Sequence[Mapping[str, Fraction]]
    kinks: Sequence[float]


@contextmanager
def remembering(*, anew: bool = False) -> Iterator[None]:
    """In here choices are kept on disk; those that are there already are taken, unless all is to be chosen anew.

    Elsewhere nothing is read or written: whoever has exchanged a rule, as a test does, must not find, or leave, the
    choices of another.
    """
    token = _use.set("write only" if anew else "read and write")
    try:
        yield
    finally:
        _use.reset(token)


def choose(
    question: Question, known: Mapping[sp.Basic, Node], equals: Sequence[sp.Expr], machines: Sequence[Arithmetic]
) -> Choices:
    """The kernel for a formula on each of several machines, as :func:`choose_kernels` says, or as it did before.

    Args:
        question: the formula.
        known: the node of each symbol.
        equals: formulas equal to it, to find forms in as well.
        machines: what the kernels will run on.
    """
    use, path = _use.get(), _path_of(question, equals, machines)
    content = read_checked(path) if use == "read and write" else None
    if content is not None:
        return [(_kernel(row["kernel"]), _judgement(row["judgement"])) for row in json.loads(content)]
    judge = Judge(question.expression, question.x, question.parameters, question.settings, question.kinks)
    choices = choose_kernels(judge, known, equals, machines)
    if use != "never":
        rows = [{"kernel": _kernel_row(kernel), "judgement": _judgement_row(verdict)} for kernel, verdict in choices]
        write_checked(path, json.dumps(rows, separators=(",", ":")).encode())
    return choices


def _path_of(question: Question, equals: Sequence[sp.Expr], machines: Sequence[Arithmetic]) -> Path:
    """The file of a choice: its name is the digest of everything that the choice depends on."""
    content = (
        _sources(),
        [sp.srepr(part) for part in (question.expression, question.x, *question.parameters, *equals)],
        [sorted((name, str(value)) for name, value in setting.items()) for setting in question.settings],
        list(question.kinks),
        [(one.flushes, one.keeps, sorted(one.errors.items()), one.margin) for one in machines],
    )
    return folder() / "choices" / f"{hashlib.sha256(repr(content).encode()).hexdigest()}.json"


@cache
def _sources() -> str:
    """A digest of what decides: the modules that the search imports, and the libraries that they compute with."""
    state = hashlib.sha256()
    for path in sorted(_imported(Path(choice.__file__))):
        content = path.read_bytes()
        state.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    for library in _LIBRARIES:
        state.update(f"{library} {metadata.version(library)}\n".encode())
    return state.hexdigest()


def _imported(first: Path) -> set[Path]:
    """A module and those of this package that it imports, and these import, and so on; packages' own files left out."""
    found, waiting = set(), [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("actgen."):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                files = [_PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names]
                waiting += [file for file in files if file.is_file()]
    return found


def _kernel_row(kernel: Kernel) -> dict[str, Any]:
    places = {node: place for place, node in enumerate(kernel.nodes)}
    return {
        "nodes": [_node_row(node, places) for node in kernel.nodes],
        "names": [[places[node], name] for node, name in kernel.names.items() if node in places],
        "form": kernel.form,
        "note": kernel.note,
    }


def _node_row(node: Node, places: Mapping[Node, int]) -> list[Any]:
    if isinstance(node, Variable):
        return ["variable", node.name, node.is_parameter]
    if isinstance(node, Constant):
        return ["constant", node.value, node.meaning, node.lacking]
    assert isinstance(node, Call)
    return [node.operation, *(places[operand] for operand in node.arguments)]


def _kernel(row: Mapping[str, Any]) -> Kernel:
    nodes: list[Node] = []
    for kind, *rest in row["nodes"]:
        if kind == "variable":
            nodes.append(Variable(*rest))
        elif kind == "constant":
            nodes.append(Constant(*rest))
        else:
            nodes.append(Call(kind, tuple(nodes[place] for place in rest)))
    names = {nodes[place]: name for place, name in row["names"]}
    return Kernel(nodes[-1], names, row["form"], row["note"])


def _judgement_row(verdict: Judgement) -> dict[str, Any]:
    trials = [[trial.form, trial.cost.key, trial.units] for trial in verdict.candidates]
    return {
        "units": float(verdict.units),
        "at": float(verdict.at),
        "ulps": float(verdict.ulps),
        "is_certified": verdict.is_certified,
        "candidates": trials,
        "reason": verdict.reason,
    }


def _judgement(row: Mapping[str, Any]) -> Judgement:
    trials = tuple(Trial(form, Cost(*cost), units) for form, cost, units in row["candidates"])
    return Judgement(**{**row, "candidates": trials})
