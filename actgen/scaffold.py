"""A new spec file: what can be told from the formula is filled in, what cannot is marked FILL IN."""

from __future__ import annotations

import ast
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from actgen.build import InputError
from actgen.build.settings import shorten

BLANK = "FILL IN"

TEMPLATE = """\
# {{ blank }} what is marked so, then run `actgen check {{ path }}`.
title = {{ title | toml }}{{ title_mark }}
summary = {{ summary | toml }}
expression = {{ expression | toml }}

# {{ blank }}: where it was published. Replace this line by the table below, or keep it for a function without a paper.
folklore = true
# [reference]
# title = "..."
# authors = "A. Author, B. Author"
# year = 2026
# url = "https://..."
{%- for parameter in parameters %}

[parameters.{{ parameter }}]
default = 1.0            # {{ blank }}
description = {{ (blank ~ ": what " ~ parameter ~ " does.") | toml }}
domain = "real"          # {{ blank }}: real, positive, nonnegative, "[0, 1]" ...
trainable = false        # true if it is learnt
{%- endfor %}
"""


@dataclass(frozen=True)
class Scaffold:
    """A spec file that was made.

    Args:
        path: where it is.
        parameters: the free names of the formula, each taken for a parameter.
        blanks: the lines to fill in, as (number, text).
    """

    path: Path
    parameters: tuple[str, ...]
    blanks: tuple[tuple[int, str], ...]


def create(path: Path, *, expression: str, title: str | None = None) -> Scaffold:
    """Write a spec for a formula; every name in it that is no function, no constant and not ``x`` is a parameter.

    Args:
        path: the file to write; its stem is the name of the activation.
        expression: the formula.
        title: the title; made from the name if it is not given.

    Raises:
        InputError: there is such a file already. It is left as it is.
        SpecError: the name or the formula is not one that a spec may have. No file is written.
    """
    from actgen.spec import SpecError, load_spec

    path = shorten(path.absolute())
    if path.exists():
        raise InputError(f"{path}: exists already, and is left as it is")
    parameters = free_names(expression)
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    environment.filters["toml"] = _quoted
    text = environment.from_string(TEMPLATE).render(
        blank=BLANK,
        path=_one_line(str(path)),
        title=title or path.stem.replace("_", " ").capitalize(),
        title_mark="" if title else f"  # {BLANK}: as the paper writes it",
        summary=f"{BLANK}: one sentence on what sets it apart.",
        expression=expression,
        parameters=parameters,
    )
    # It is judged elsewhere first, so that a file that appears is one that `actgen check` takes.
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8", newline="\n")
        try:
            load_spec(draft)
        except SpecError as error:
            raise SpecError(replace(problem, path=path.as_posix()) for problem in error.problems) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return Scaffold(path, parameters, find_blanks(path))


def spec_path(folder: Path, name: str) -> Path:
    """The file of an activation's spec.

    Raises:
        InputError: the name is a path.
    """
    if "/" in name or "\\" in name:
        raise InputError(f"'{name}' is a path, not a name; say with --specs where to put it")
    return folder / f"{name}.toml"


def find_blanks(path: Path) -> tuple[tuple[int, str], ...]:
    """The lines of a spec that are still to be filled in, with their numbers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple((number, line.strip()) for number, line in enumerate(lines, 1) if BLANK in line)


def free_names(expression: str) -> tuple[str, ...]:
    """The names in a formula that must be parameters, in order of first use; none if it is no formula at all.

    >>> free_names("x * sigmoid(beta * x) + pi")
    ('beta',)
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
    ordered = sorted(names, key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in ordered if node.id not in ("x", "pi", "E")))


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, apart from what JSON leaves as it is.

    Bytes of a command line that are no text become question marks, which the parser of the spec refuses with their
    place.
    """
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
