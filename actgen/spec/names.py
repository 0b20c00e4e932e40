"""Names of activations, classes, parameters and aliases: which may stand in emitted Python, and which not."""

from __future__ import annotations

import re

from actgen.spec.reserved import ACTIVATIONS, CLASSES, EXPRESSION, PARAMETERS, PREFIXES, PYTHON, SUFFIXES
from actgen.spec.text import quoted

LONGEST = 40
"""The most characters of a name."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_SNAKE_RULE = "snake_case: a-z, 0-9 and single underscores, a letter first"
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", re.ASCII)
_PARAMETER_RULE = "letters a-z, digits and single underscores, a letter first"
_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)
_CAMEL_RULE = "CamelCase: letters a-z and digits, a capital first"


class NamingError(ValueError):
    """A name that cannot stand in emitted code; `remedy` says what to choose instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def check_activation(name: str) -> None:
    """Raise `NamingError` unless `name` can be a function and a file: snake_case, not taken."""
    _check(name, "activation", _SNAKE, _SNAKE_RULE, ACTIVATIONS)


def check_alias(name: str) -> None:
    """Raise `NamingError` unless `name` can be a second name of a function."""
    _check(name, "alias", _SNAKE, _SNAKE_RULE, ACTIVATIONS)


def check_parameter(name: str) -> None:
    """Raise `NamingError` unless `name` can be a keyword argument and an attribute of a module and a layer."""
    if name in EXPRESSION:
        raise NamingError(f"{quoted(name)} has a meaning in expressions already", f"call it {name}_value or the like")
    _check(name, "parameter", _PARAMETER, _PARAMETER_RULE, PARAMETERS)


def check_beside(name: str, trainable: str) -> None:
    """Raise `NamingError` if a parameter takes a name that emitted classes form of a trainable one's."""
    forms = [*(f"{prefix}_{trainable}" for prefix in PREFIXES), *(f"{trainable}_{suffix}" for suffix in SUFFIXES)]
    if name in forms:
        what = f"{quoted(name)} cannot name a parameter: the classes use it for the trainable {quoted(trainable)}"
        raise NamingError(what, "choose another name")


def check_input(name: str) -> None:
    """Raise `NamingError` unless `name` can be an input of a gated unit: an argument of the function."""
    if name in EXPRESSION:
        raise NamingError(f"{quoted(name)} has a meaning in expressions already", "choose another name")
    _check(name, "input", _PARAMETER, _PARAMETER_RULE, PARAMETERS)


def check_class(name: str) -> None:
    """Raise `NamingError` unless `name` can be a class: CamelCase, not taken."""
    _check(name, "class", _CAMEL, _CAMEL_RULE, CLASSES)


def camel(name: str) -> str:
    """Return the class name that goes with a function: `leaky_relu` becomes `LeakyRelu`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _check(name: str, what: str, form: re.Pattern[str], rule: str, taken: frozenset[str]) -> None:
    if len(name) > LONGEST:
        raise NamingError(f"the {what} name is {len(name)} characters long", f"use at most {LONGEST}")
    if form.fullmatch(name) is None:
        raise NamingError(f"{quoted(name)} cannot name {_article(what)}", f"names are {rule}")
    if name in taken:
        reason = "a word of Python" if name in PYTHON else "used by the emitted code or its framework"
        raise NamingError(f"{quoted(name)} cannot name {_article(what)}: it is {reason}", "choose another name")


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
