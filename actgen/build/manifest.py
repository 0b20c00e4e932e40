"""``manifest.json``: what a build wrote, from what, and which form was chosen for each formula, with its error.

It is the build's memory, so that the next one derives only what changed, tells its own files from others', and sees
which were edited by hand. It is sorted and holds no time, path or name of a machine: the same specs and the same
generator give the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from actgen.build.errors import InputError
from actgen.build.misses import Miss, miss_lines

FORMAT = 3
NAME = "manifest.json"


@dataclass(frozen=True)
class KernelRecord:
    """The form chosen for one formula and what it was measured to be worth.

    Args:
        form: the name of the form.
        units: the largest error on the sample, in units of the accuracy contract, in the target's arithmetic emulated.
        ulps: the largest error in units in the last place.
        at: the input where that occurs.
        is_within_contract: whether the error is one that the contract allows.
        is_certified: whether no sum in it can cancel, which the signs of its coefficients prove.
        cost: transcendental calls, divisions, passes over memory.
    """

    form: str
    units: float
    ulps: float
    at: float
    is_within_contract: bool
    is_certified: bool
    cost: tuple[int, int, int]


@dataclass(frozen=True)
class Record:
    """What one spec was turned into.

    Args:
        spec: the spec's path, relative to the project.
        digest: hash of the spec's bytes.
        class_name: the name of the module or layer.
        aliases: other names of the function.
        summary: the spec's one sentence.
        kernels: by the name of the partial derivative (``value``, ``d/dx``, ``d2/dx2``, ``d/dbeta``) and the target.
        files: hash of the content of each file, by path relative to the output folder.
    """

    spec: str
    digest: str
    class_name: str
    aliases: tuple[str, ...]
    summary: str
    kernels: Mapping[str, Mapping[str, KernelRecord]]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """Everything a build wrote.

    Args:
        version: of actgen.
        generator: hash of what turns a spec into code; see :mod:`actgen.build.digest`.
        targets: the frameworks built for, in order.
        activations: by name.
        package: hashes of the files that belong to no single spec.
        pending: hashes of files that a build was about to move into place. Empty once it is done; where a build was
            killed, they tell its work from an edit by hand.
    """

    version: str = ""
    generator: str = ""
    targets: tuple[str, ...] = ()
    activations: Mapping[str, Record] = field(default_factory=dict)
    package: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)

    @property
    def missed(self) -> dict[str, list[str]]:
        """By activation, lines on the kernels that miss the accuracy contract in emulation: where, by how much."""
        found = {
            name: miss_lines(
                Miss(f"{name} {partial}", target, kernel.units, kernel.at)
                for partial, chosen in record.kernels.items()
                for target, kernel in chosen.items()
                if not kernel.is_within_contract
            )
            for name, record in self.activations.items()
        }
        return {name: lines for name, lines in found.items() if lines}

    def effort(self, name: str) -> float:
        """A number that is larger for an activation that took longer: its operations; infinite if it is new."""
        if name not in self.activations:
            return math.inf
        kernels = self.activations[name].kernels.values()
        return sum(kernel.cost[2] for chosen in kernels for kernel in chosen.values())

    @property
    def files(self) -> dict[str, str]:
        """Hash of every file the build wrote, by path relative to the output folder."""
        found = dict(self.package)
        for record in self.activations.values():
            found |= record.files
        return found

    def dump(self) -> str:
        """The text of the file."""
        content: dict[str, object] = {"format": FORMAT, **asdict(self)}
        if not self.pending:
            del content["pending"]
        return _layout(content, "") + "\n"

    @classmethod
    def read(cls, out: Path) -> Manifest:
        """The manifest in an output folder; an empty one where there is none, or one of another format.

        Raises:
            InputError: there is a file of that name that no build wrote (left by a merge, for example).
        """
        path = out / NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except ValueError as error:
            raise InputError(
                f"{path.name}: not what a build wrote ({error}); after a merge conflict, delete it and build again"
            ) from error
        try:
            if content["format"] != FORMAT:
                return cls()
            manifest = cls(
                version=content["version"],
                generator=content["generator"],
                targets=tuple(content["targets"]),
                activations={name: _record(entry) for name, entry in content["activations"].items()},
                package=dict(content["package"]),
                pending=dict(content.get("pending", {})),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{path.name}: not what a build wrote; delete it and build again") from error
        for name in (*manifest.files, *manifest.pending):
            if not is_inside(name):
                raise InputError(f"{path.name}: lists {name!r}, which is not inside the output folder; delete it")
        return manifest


def is_inside(path: str) -> bool:
    """Whether a path relative to the output folder stays in it."""
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts and "\\" not in path


def partial_name(variables: tuple[str, ...]) -> str:
    """What a partial derivative is called: ``value``, ``d/dx``, ``d2/dx2``, ``d2/dx dbeta``."""
    if not variables:
        return "value"
    order = "" if len(variables) == 1 else str(len(variables))
    counted = dict.fromkeys(variables, 0)
    for variable in variables:
        counted[variable] += 1
    below = " ".join(f"d{variable}{count if count > 1 else ''}" for variable, count in counted.items())
    return f"d{order}/{below}"


def _layout(value: object, margin: str) -> str:
    """JSON with its keys sorted, an object on one line where it holds no other and fits: a diff of it can be read."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not isinstance(value, dict) or (len(margin) + len(line) <= 110 and line.count("{") == 1):
        return line
    inner = margin + "  "
    rows = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_layout(value[key], inner)}" for key in sorted(value)]
    return "{\n" + ",\n".join(rows) + f"\n{margin}}}"


def _record(entry: Mapping[str, Any]) -> Record:
    kernels = {
        name: {target: KernelRecord(**{**kernel, "cost": (*kernel["cost"],)}) for target, kernel in chosen.items()}
        for name, chosen in entry["kernels"].items()
    }
    return Record(
        spec=entry["spec"],
        digest=entry["digest"],
        class_name=entry["class_name"],
        aliases=tuple(entry["aliases"]),
        summary=entry["summary"],
        kernels=kernels,
        files=dict(entry["files"]),
    )
