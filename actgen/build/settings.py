"""Where the specs are, where the code goes, and for which frameworks: ``[tool.actgen]`` in pyproject.toml.

Paths in the table are relative to the folder of that pyproject.toml. Without a table, the specs are those in
``./specs`` if there are any, else those that come with actgen.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actgen.build.errors import InputError

TARGETS = ("torch", "keras", "jax")
KEYS = ("specs", "out", "targets")


@dataclass(frozen=True)
class Settings:
    """What a build reads and writes.

    Args:
        specs: the folder of spec files.
        out: the folder of generated code; it is a Python package.
        targets: the frameworks, by the names they are registered with.
        root: the folder that the paths in headers and messages are relative to.
    """

    specs: Path
    out: Path
    targets: tuple[str, ...]
    root: Path

    def display(self, path: Path) -> str:
        """The path as it is written in headers and in the manifest: relative to the project, with forward slashes.

        Never absolute: generated code is the same on every machine. Characters that cannot be printed are escaped,
        so a folder's name cannot break out of the comment that holds it.
        """
        resolved = path.resolve()
        packaged = packaged_specs()
        if resolved.is_relative_to(self.root):
            text = resolved.relative_to(self.root).as_posix()
        elif resolved.is_relative_to(packaged):
            text = f"actgen/specs/{resolved.relative_to(packaged).as_posix()}"
        else:
            text = f"{path.parent.name}/{path.name}"
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def find_settings(
    folder: Path, *, specs: Path | None = None, out: Path | None = None, targets: tuple[str, ...] = ()
) -> Settings:
    """The settings in force in a folder: flags first, then the nearest ``[tool.actgen]`` above it, then defaults.

    Raises:
        InputError: the table is not what it should be, or the folder of specs does not exist.
    """
    folder = folder.resolve()
    root, table = _nearest_table(folder)
    if specs is None:
        specs = root / str(table["specs"]) if "specs" in table else _default_specs(root)
    if out is None:
        out = root / str(table.get("out", "generated"))
    specs, out = (Path(os.path.abspath(folder / path)) for path in (specs, out))
    if not specs.is_dir():
        raise InputError(f"{shorten(specs)}: there is no such folder of specs; name one with --specs")
    if out in (root, folder) or specs.is_relative_to(out):
        raise InputError(f"{shorten(out)}: the output needs a folder of its own; name one with --out")
    chosen = _with_lenders(targets) or tuple(_strings(table["targets"]) if "targets" in table else TARGETS)
    if not chosen:
        raise InputError("no targets: [tool.actgen] targets is an empty list")
    return Settings(specs=specs, out=out, targets=tuple(dict.fromkeys(chosen)), root=root)


def _with_lenders(targets: tuple[str, ...]) -> tuple[str, ...]:
    """What is named on the command line, with what it is built upon: `--target flax` asks for jax too."""
    if not targets:
        return ()
    from actgen.targets.target import TargetError, with_lenders

    try:
        return with_lenders(targets)
    except TargetError as error:
        raise InputError(str(error)) from error


def own_specs(folder: Path) -> Path:
    """Where a project keeps specs of its own, be the folder there or not: where a new one is made."""
    root, table = _nearest_table(folder.resolve())
    return root / str(table.get("specs", "specs"))


def packaged_specs() -> Path:
    """The folder of specs that comes with actgen: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def shorten(path: Path) -> Path:
    """The path as a user would type it: relative to the working directory, where that is shorter."""
    if path.drive != Path.cwd().drive:
        return path
    return min(Path(os.path.relpath(path)), path, key=lambda spelling: len(str(spelling)))


def _default_specs(root: Path) -> Path:
    own = root / "specs"
    return own if any(own.glob("*.toml")) else packaged_specs()


def _nearest_table(folder: Path) -> tuple[Path, Mapping[str, object]]:
    """The nearest folder upwards whose pyproject.toml has a ``[tool.actgen]`` table, and that table."""
    for candidate in (folder, *folder.parents):
        path = candidate / "pyproject.toml"
        if not path.is_file():
            continue
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{shorten(path)}: not valid TOML: {error}") from error
        tool = document.get("tool", {})
        if isinstance(tool, dict) and "actgen" in tool:
            return candidate, _checked(tool["actgen"], path)
    return folder, {}


def _checked(table: object, path: Path) -> Mapping[str, object]:
    """The table, if each key is known and of the right type."""
    place = f"{shorten(path)}: [tool.actgen]"
    if not isinstance(table, dict):
        raise InputError(f"{place} must be a table")
    for key, value in table.items():
        if key not in KEYS:
            raise InputError(f"{place} has no key '{key}'; there are {', '.join(KEYS)}")
        if key == "targets":
            if not isinstance(value, list) or len(_strings(value)) != len(value):
                raise InputError(f'{place} targets must be a list of names, such as ["torch", "jax"]')
        elif not isinstance(value, str) or not value:
            raise InputError(f"{place} {key} must be the path of a folder")
    return table


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
