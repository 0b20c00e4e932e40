"""Layers, operators and other names of activations: facts, since no spec can name what is no function of x."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FACTS = Path(__file__).with_name("elsewhere.toml")


@dataclass(frozen=True)
class Elsewhere:
    """Something like an activation of ours.

    Attributes:
        name: in full, such as "keras.layers.LeakyReLU".
        defaults: of its arguments, under its own names; "None" for None, which TOML has not.
        note: how it is not ours, if it is not.
    """

    name: str
    defaults: Mapping[str, float | str | bool]
    note: str


def elsewhere() -> dict[str, tuple[Elsewhere, ...]]:
    """What is known, by activation."""
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    return {
        activation: tuple(
            Elsewhere(name, {key: value for key, value in fact.items() if key != "note"}, fact.get("note", ""))
            for name, fact in entries.items()
        )
        for activation, entries in facts.items()
    }
