"""Loading: from a file, or a folder of files, to activations, or to all that is wrong with them."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actgen.spec.activation import Activation
from actgen.spec.problem import Problem, SpecError
from actgen.spec.reading import Reader
from actgen.spec.source import KeyPath, Source
from actgen.spec.tables import Written
from actgen.spec.text import quoted

LARGEST = 64 * 1024
"""The most bytes of a spec file."""

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*+\.[ \t]*+){64}""", re.ASCII)
_UNQUOTED = re.compile(r"^\s*(?P<key>[A-Za-z_.]+)\s*=\s*(?!true\b|false\b)(?P<value>[A-Za-z][^\"'#]*)")


def load_spec(path: Path) -> Activation:
    """Return the activation that one spec file declares.

    Raises `SpecError` with everything that is wrong with the file.
    """
    reader = _read(path)
    activation = reader.activation()
    if activation is None:
        raise SpecError(reader.problems)
    return activation


def load_specs(folder: Path) -> tuple[Activation, ...]:
    """Return the activations of all `*.toml` files of a folder, sorted by name.

    Raises one `SpecError` with everything that is wrong with any of them, names that two files claim included.
    """
    problems: list[Problem] = []
    readers: list[Reader] = []
    activations: list[Activation] = []
    for path in _spec_files(folder):
        try:
            reader = _read(path)
        except SpecError as error:
            problems += error.problems
            continue
        activation = reader.activation()
        problems += reader.problems
        readers.append(reader)
        if activation is not None:
            activations.append(activation)
    problems += _collisions(readers)
    if problems:
        raise SpecError(problems)
    return tuple(sorted(activations, key=lambda activation: activation.name))


def read_source(path: Path, key: KeyPath) -> tuple[Source, str]:
    """Return a spec file with the places of its keys, and the text that it has at one of them.

    Raises `SpecError` where the file is no TOML any more, or has no such text.
    """
    reader = _read(path)
    found: Any = reader.document
    for part in key:
        found = found.get(part) if isinstance(found, dict) else None
    if not isinstance(found, str):
        raise SpecError([reader.source.problem(None, "the file has changed")])
    return reader.source, found


def _spec_files(folder: Path) -> list[Path]:
    place = folder.as_posix()
    if not folder.is_dir():
        reason = "this is a file, not a folder of specs" if folder.exists() else "this folder does not exist"
        raise SpecError([Problem(place, reason, "name the folder that holds the *.toml specs")])
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and not path.name.startswith("."))
    except OSError as error:
        raise SpecError([_unreadable(place, error)]) from None
    if not files:
        raise SpecError([Problem(place, "this folder holds no specs", "write one activation into a file NAME.toml")])
    return files


def _read(path: Path) -> Reader:
    """Read a file as far as TOML goes; raise `SpecError` where it is none."""
    place = path.as_posix()
    if path.exists() and not path.is_file():
        raise SpecError([Problem(place, "this is not a file", "name a spec, a file NAME.toml")])
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        raise SpecError([_unreadable(place, error)]) from None
    if len(octets) > LARGEST:
        problem = Problem(place, f"the file is larger than {LARGEST // 1024} KiB", "a spec holds one activation")
        raise SpecError([problem])
    text = _decode(place, octets)
    document = _parse(place, text)
    return Reader(path.stem, Source.read(place, text), document, hashlib.sha256(octets).hexdigest())


def _unreadable(place: str, error: OSError) -> Problem:
    reason = (error.strerror or type(error).__name__).lower()
    return Problem(place, f"the file cannot be read ({reason})", "check the path and its permissions")


def _decode(place: str, octets: bytes) -> str:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + len(octets) - len(error.object)  # the byte order mark is not in error.object
        before = octets[:start].rpartition(b"\n")[2].decode(errors="replace")
        after = octets[start:].partition(b"\n")[0].decode(errors="replace")
        wrong = f"the byte 0x{octets[start]:02X} is not UTF-8"
        remedy = "save the file as UTF-8"
        if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
            wrong, before, after = "the file is encoded as UTF-16", "", ""
        line = octets[:start].count(b"\n") + 1
        problem = Problem(place, wrong, remedy, line, len(before) + 1, 1 if after else 0, before + after)
        raise SpecError([problem]) from None
    return text.replace("\r\n", "\n")


def _parse(place: str, text: str) -> dict[str, Any]:
    dotted = _DOTTED.search(text)
    if dotted is not None:
        # tomllib takes minutes for a key of thousands of parts.
        raise SpecError([Source(place, text).problem(dotted.span(), "this key has too many dots", "a spec needs two")])
    if not text.strip():
        problem = Problem(place, "the file is empty", "write title, summary and expression into it", line=1)
        raise SpecError([problem])
    try:
        return tomllib.loads(text, parse_float=Written)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_broken(place, text, str(error))]) from None
    except RecursionError:
        problem = Problem(place, "arrays or tables are nested too deeply", "a spec needs no arrays in arrays", line=1)
        raise SpecError([problem]) from None
    except ValueError:
        # Python refuses to read integers of more than 4300 digits, and tomllib passes that on without a place.
        digits = re.search(r"\d[\d_]{4000,}", text)
        span = digits and digits.span()
        problem = Source(place, text).problem(span, "this number is too large", "write a smaller one")
        raise SpecError([problem]) from None


def _broken(place: str, text: str, message: str) -> Problem:
    """Turn a message of tomllib into a problem with its place."""
    found = _PLACE.search(message)
    what = _PLACE.sub("", message)
    lines = text.split("\n")
    if found is None or found["line"] is None:
        while len(lines) > 1 and not lines[-1].strip():
            lines.pop()
        line, column = len(lines), len(lines[-1]) + 1
    else:
        line, column = int(found["line"]), int(found["column"])
    source = lines[line - 1]
    remedy = "correct the TOML here; texts stand in double quotes, tables in [brackets]"
    unquoted = _UNQUOTED.match(source)
    if unquoted is not None:
        remedy = f'put the text in quotes: {unquoted["key"]} = "{unquoted["value"].strip()}"'
    elif re.search("overwrite|twice|[Dd]uplicate", what):
        remedy = "this key or table stands in the file twice; remove one"
    what = what[:1].lower() + what[1:]
    return Problem(place, f"this is not TOML: {what}", remedy, line, column, 1, source)


def _collisions(readers: Iterable[Reader]) -> list[Problem]:
    """Return a problem for each name that two files claim, shown in the later one."""
    owners: dict[str, Reader] = {}
    problems: list[Problem] = []
    for reader in readers:
        for name, span in reader.claims():
            owner = owners.setdefault(name, reader)
            if owner is not reader:
                message = f"the name {quoted(name)} is taken: {owner.source.path} has it too"
                problems.append(reader.source.problem(span, message, "choose another name in one of the files"))
    return problems
