"""The defaults of a framework's function, as the installed framework declares them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

REQUIRED = inspect.Parameter.empty
"""Stands for the default of an argument that must be given."""

# They change where a result is kept or what it is called, never what it is.
_IMMATERIAL = {"inplace", "out", "name", "where", "kwargs", "_stacklevel"}


def defaults(function: Callable[..., Any]) -> Mapping[str, Any] | None:
    """The arguments of a function after its input, with their defaults; ``REQUIRED`` where there is none.

    Functions of PyTorch that are written in C have no signature that Python can read, but their docstrings start with
    it. None if there is neither.
    """
    try:
        parameters = inspect.signature(function).parameters
        found = {name: parameter.default for name, parameter in parameters.items()}
    except ValueError:
        documented = _documented(function)
        if documented is None:
            return None
        found = documented
    return {name: value for name, value in list(found.items())[1:] if name not in _IMMATERIAL}


def _documented(function: Callable[..., Any]) -> dict[str, Any] | None:
    declared = re.match(r"\s*\w+\(([^()]*)\) *->", function.__doc__ or "")
    if declared is None:
        return None
    try:
        arguments = ast.parse(f"def f({declared[1]}): ...").body[0].args  # type: ignore[attr-defined]
        given = [ast.literal_eval(node) for node in arguments.defaults]
        named = [REQUIRED if node is None else ast.literal_eval(node) for node in arguments.kw_defaults]
    except (SyntaxError, ValueError):
        return None  # written for people: "min(iterable, *[, default=obj])"
    required = [REQUIRED] * (len(arguments.args) - len(given))
    names = [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)]
    return dict(zip(names, [*required, *given, *named], strict=True))
