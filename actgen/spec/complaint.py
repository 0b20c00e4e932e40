"""What pydantic says about a document, said to the person who wrote the file: place, plain words, remedy."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from actgen.spec.names import LONGEST
from actgen.spec.problem import Problem, nearest
from actgen.spec.source import KeyPath, Source
from actgen.spec.tables import SpecTable, Written
from actgen.spec.text import quoted

MOST = 40
"""The most problems shown of one table's keys: a file of another kind has thousands."""

_KINDS = {
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}


def complain(source: Source, error: ValidationError) -> list[Problem]:
    """Return one problem for each error, in the order of the file."""
    problems = [_problem(source, details) for details in error.errors(include_url=False)[:MOST]]
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column))


def _problem(source: Source, details: ErrorDetails) -> Problem:
    path: KeyPath = details["loc"]
    kind, context, given = details["type"], details.get("ctx", {}), details["input"]
    is_key = path[-1] == "[key]"  # the error is about the key, not what it holds
    path = path[:-1] if is_key else path
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:LONGEST]}" for part in path)[1:]
    key = str(path[-1])
    if kind == "extra_forbidden":
        known = [key for key, field in _fields(path[:-1]).items() if field.annotation is not Any]
        where = f"in [{'.'.join(str(part) for part in path[:-1])}]" if path[:-1] else "at the top of a spec"
        remedy = nearest(key, known) or f"the keys {where} are {', '.join(known)}"
        return source.problem(source.key(path), f"unknown key {quoted(key)}", remedy)
    if kind == "missing":
        field = _fields(path[:-1])[key]
        place = source.key(path[:-1]) if path[:-1] else None
        return source.problem(place, f"the key {quoted(name)} is missing", f"add it: {_lower(str(field.description))}")
    if kind == "refused":
        place = source.key(path) if is_key else source.value(path)
        return source.problem(place, f"{name}: {context['what']}", str(context["remedy"]))
    if kind in _KINDS:
        message = f"{name} must be {_KINDS[kind]}, not {_describe(given)}"
        return source.problem(source.value(path), message, _wanted(path))
    message, remedy = _limit(kind, context, name, given)
    return source.problem(source.value(path), message, remedy)


def _limit(kind: str, context: dict[str, Any], name: str, given: Any) -> tuple[str, str]:
    match kind:
        case "string_too_long":
            return f"{name} is {len(given)} characters long", f"use at most {context['max_length']}"
        case "too_long":
            return f"{name} has {len(given)} entries", f"use at most {context['max_length']}"
        case "literal_error":
            choices = re.findall(r"'(\w+)'", str(context["expected"]))
            guess = nearest(given, choices) if isinstance(given, str) else ""
            return f"{name} cannot be {quoted(str(given))}", guess or f"write {context['expected']}"
        case "greater_than_equal" | "less_than_equal":
            return f"{name} cannot be {given}", "write the year in four digits"
    return f"{name} is not valid", "see docs/spec-format.md for what the key holds"


def _fields(path: KeyPath) -> Mapping[str, FieldInfo]:
    """Return the keys of the table at `path`; none where the keys are names that the file chooses."""
    annotation: Any = SpecTable
    for part in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(part)].annotation
        else:  # dict[str, Model], list[str]
            annotation = get_args(annotation)[-1]
        annotation = _without_none(annotation)
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation.model_fields if is_model else {}


def _wanted(path: KeyPath) -> str:
    field = _fields(path[:-1]).get(str(path[-1]))
    return _lower(field.description or "") if field is not None else ""


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType):
        return next(member for member in get_args(annotation) if member is not type(None))
    return annotation


def _describe(given: Any) -> str:
    match given:
        case bool():
            return str(given).lower()
        case Written(text):
            return f"the number {text}"
        case int():
            return f"the number {given}"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or a time"


def _lower(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
