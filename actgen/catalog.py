"""Specs by the names that people use: of the activation, an alias, the class, or the path of the file."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build import InputError
from actgen.build.settings import shorten

if TYPE_CHECKING:
    from actgen.spec import Activation


def find_activation(name: str, specs: Path) -> Activation:
    """The activation of that name, alias, class name or path.

    Args:
        name: what the user typed; upper and lower case are the same but in paths.
        specs: the folder where names are looked up.

    Raises:
        InputError: there is none; the message names the nearest.
        SpecError: its spec is wrong.
    """
    from actgen.spec import load_spec, load_specs

    specs = shorten(specs)
    if name.endswith(".toml") or "/" in name or "\\" in name:
        path = Path(name)
        if not path.is_file():
            raise InputError(f"{name}: there is no such file")
        return load_spec(path)
    direct = specs / f"{name}.toml"
    if name.isidentifier() and direct.is_file():
        return load_spec(direct)
    known: dict[str, Activation] = {}
    for activation in load_specs(specs):
        for spelling in (activation.name, activation.class_name, *activation.aliases):
            known.setdefault(spelling.lower(), activation)
    if name.lower() in known:
        return known[name.lower()]
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    remedy = f"did you mean '{close[0]}'?" if close else "`actgen list` shows what there is"
    raise InputError(f"no activation is called '{name}'; {remedy}")


def find_activations(names: Sequence[str], specs: Path) -> list[Activation]:
    """The activations of these names, in this order; all of the folder if there are no names."""
    from actgen.spec import load_specs

    return [find_activation(name, specs) for name in names] if names else list(load_specs(shorten(specs)))
