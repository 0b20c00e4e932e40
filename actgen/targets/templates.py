"""The Jinja environment of a target: strict about what is undefined, exact about white space."""

from __future__ import annotations

import textwrap
from functools import cache

import jinja2


@cache
def environment(package: str, folder: str = "templates") -> jinja2.Environment:
    """Return the environment that reads templates from `folder` in `package` ("actgen.targets.torch").

    Filters: `code(indent)` indents the lines of a text or of a sequence of lines, all but the first.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(package, folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters["code"] = _code
    made.filters["py"] = repr
    return made


def _code(text: str | list[str] | tuple[str, ...], spaces: int = 4) -> str:
    """Indent all lines but the first."""
    if not isinstance(text, str):
        text = "\n".join(text)
    return textwrap.indent(text, " " * spaces).removeprefix(" " * spaces)
