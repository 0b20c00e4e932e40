"""Where a formula's part, or a key, stands in its file, for what is found out after an activation has been read."""

from __future__ import annotations

from pathlib import Path

import sympy

from actgen.spec.activation import Activation
from actgen.spec.expression import find
from actgen.spec.load import read_source
from actgen.spec.problem import Problem, SpecError
from actgen.spec.source import KeyPath


def place(activation: Activation, path: KeyPath, part: sympy.Expr, message: str, remedy: str) -> Problem:
    """Return a problem whose caret is under a part of a formula.

    Args:
        activation: whose formula it is.
        path: the key of the formula.
        part: as the parser made it. Where the text has no such part, the caret is under the whole formula.
        message: what is wrong.
        remedy: what to do about it.
    """
    try:
        source, text = read_source(Path(activation.path), path)
    except SpecError:  # the file has gone since it was read
        return Problem(activation.path, message, remedy)
    symbols = [*activation.inputs, *(parameter.symbol for parameter in activation.variables)]
    span = find(text, {symbol.name: symbol for symbol in symbols}, part)
    return source.problem(source.value(path) if span is None else source.inside(path, text, span), message, remedy)


def place_key(activation: Activation, path: KeyPath, message: str, remedy: str) -> Problem:
    """Return a problem whose caret is under a key.

    Args:
        activation: what the file declares.
        path: of the key.
        message: what is wrong.
        remedy: what to do about it.
    """
    try:
        source, _ = read_source(Path(activation.path), ("expression",))
    except SpecError:  # the file has gone since it was read
        return Problem(activation.path, message, remedy)
    return source.problem(source.key(path), message, remedy)
