"""A file becomes an Activation: the format, the safe parser of expressions, and errors with their place.

Nothing is imported before it is used: a build that finds nothing to do reads bytes only, and must not pay for
SymPy or pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actgen.spec.activation import Activation, Builtin, Parameter, Reference
    from actgen.spec.domain import Domain
    from actgen.spec.load import load_spec, load_specs
    from actgen.spec.problem import Problem, SpecError
    from actgen.spec.text import inert

__all__ = [
    "Activation",
    "Builtin",
    "Domain",
    "Parameter",
    "Problem",
    "Reference",
    "SpecError",
    "inert",
    "load_spec",
    "load_specs",
]

_HOMES = {
    "Activation": "activation",
    "Builtin": "activation",
    "Domain": "domain",
    "Parameter": "activation",
    "Problem": "problem",
    "Reference": "activation",
    "SpecError": "problem",
    "inert": "text",
    "load_spec": "load",
    "load_specs": "load",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
