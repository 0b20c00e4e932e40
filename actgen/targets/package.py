"""The `__init__.py` of a target's package: lazy, typed, with activations found by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from actgen.targets.target import Entry
from actgen.targets.templates import environment

GATES: Mapping[str, str] = MappingProxyType({"Gated": "gated", "gated": "gated"})
"""Gates of any activation: the class, the function, and their module."""


def package(
    headline: str,
    entries: Sequence[Entry],
    tensor: str = "",
    functions: Mapping[str, str] = MappingProxyType({}),
    companions: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the source of a package that imports an activation's module when its name is first used.

    Args:
        headline: the first line of its docstring.
        entries: the activations in it; each has a module of its name that holds the function, the class (if the
            target has one: `class_name` not empty) and the aliases.
        tensor: the type that activations return, in full, such as "torch.Tensor"; empty where it has no one name.
        functions: sources of what the package has beside `get` and `names`, by name.
        companions: the modules that hold what is no activation, by the names of that.
    """
    rows = [
        {"name": entry.name, "exported": exported(entry)} for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    names = sorted((name, str(row["name"])) for row in rows for name in row["exported"])
    return (
        environment("actgen.targets")
        .get_template("package.py.j2")
        .render(
            headline=headline,
            rows=rows,
            names=names,
            public=sorted([*(name for name, _ in names), "get", "names", *functions, *companions]),
            result=tensor.rpartition(".")[2] or "Any",
            tensor=tensor,
            functions=list(functions.values()),
            companions=dict(companions),
        )
    )


def exported(entry: Entry) -> list[str]:
    """Return the names that a module gives to the package: function, class, aliases."""
    return sorted({name for name in (entry.name, entry.class_name, *entry.aliases) if name})
