"""The `__init__.py` of a target's package: lazy, typed, and with the activations under their own names."""

from __future__ import annotations

from collections.abc import Sequence

from actgen.targets.target import Entry
from actgen.targets.templates import environment


def package(headline: str, entries: Sequence[Entry]) -> str:
    """Return the source of a package that imports an activation's module when its name is first used.

    Args:
        headline: the first line of its docstring.
        entries: the activations in it; each has a module of its name that holds the function, the class (if the
            target has one: `class_name` not empty) and the aliases.
    """
    rows = [
        {"name": entry.name, "exported": exported(entry)} for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    names = sorted((name, str(row["name"])) for row in rows for name in row["exported"])
    return environment("actgen.targets").get_template("package.py.j2").render(headline=headline, rows=rows, names=names)


def exported(entry: Entry) -> list[str]:
    """Return the names that a module gives to the package: function, class, aliases."""
    return sorted({name for name in (entry.name, entry.class_name, *entry.aliases) if name})
