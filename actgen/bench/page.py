"""The page made of a record: means of the groups in each way, then every activation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from actgen.bench.record import GROUPS, Measured, Place, Record
from actgen.bench.request import PASSES
from actgen.bench.table import duration, kept, means, places, power, shown
from actgen.bench.ways import WAYS, Way

PAGE = "README.md"

_INTRODUCTION = """\
# Speed

How long the generated code takes beside the framework's own function and beside the formula as people type it, left to
automatic differentiation. Ratios are ours to theirs: below 1 ours is faster. Contestants take turns in one process,
round by round; a ratio is the median over the rounds. *Forward* is the value without a gradient; *training* is the
value, then the gradient by the input. Inputs are normally distributed with deviation 2.

Three groups: *transcendental* (there is a built-in, and its formula calls exp, tanh, erf or the like), *cheap* (a
built-in of plain arithmetic), *no built-in* (held against the formula as typed, compiled where ours is).

Measured on: {machine}; {versions}. Again, on your machine:

{commands}

"""

_FITTING = """\
A step of `fit` of a model that does little else than the activation. *Share* is what the activation takes of the step:
what the identity in its place saves. Where it is small a ratio says little.
"""

_EACH = """\
Each at {what}. Bytes kept for the backward pass, a number of the input: ours / the built-in's / the naive formula's.
"""

_MEANS = """\
| type | numbers | pass | group | geometric mean | largest | activations |
|---|---|---|---|---|---|---|"""


def render(record: Record, pictures: Mapping[str, str]) -> str:
    """The page.

    Args:
        record: what was measured.
        pictures: by way, the file's name.
    """
    versions = ", ".join(text for _, text in sorted(record.versions.items()))
    commands = "\n".join(f"    {line}" for line in _commands(record))
    parts = [_INTRODUCTION.format(commands=commands, machine=record.machine, versions=versions)]
    parts += [_section(WAYS[way], record, pictures.get(way)) for way in WAYS if places(record, way)]
    return "\n".join(parts)


def _commands(record: Record) -> list[str]:
    """The calls that measure what was measured: ways in which the same was measured in one."""
    ways: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for way in WAYS:
        for names, options in _calls([place for place in sorted(record.measured) if place.way == way]):
            ways.setdefault((names, options), []).append(f"--way {way}")
    return [f"actgen bench {' '.join((*names, *those, *options))}" for (names, options), those in ways.items()]


def _calls(found: Sequence[Place]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The names that were measured alike in one way, and the options that say how."""
    names: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(place.activation for place in found):
        places = [place for place in found if place.activation == name]
        options = [f"--dtype {dtype}" for dtype in sorted({place.dtype for place in places})]
        options += [f"--size {power(size)}" for size in sorted({place.size for place in places})]
        options += [f"--pass {part}" for part in PASSES if part in {place.part for place in places}]
        names.setdefault(tuple(options), []).append(name)
    for asked, those in names.items():
        yield tuple(those), asked


def _section(way: Way, record: Record, picture: str | None) -> str:
    lines = [f"## {way.title}", ""]
    if picture:
        lines += [f"![ours as a multiple of the others' time: {way.title}]({picture})", ""]
    if way.is_fit:
        lines.append(_FITTING)
    found = places(record, way.name)
    lines.append(_MEANS)
    for (dtype, size, part), cells in sorted(found.items(), key=_order):
        for group, (mean, largest, count) in means(cells.values()).items():
            lines.append(f"| {dtype} | {power(size)} | {part} | {group} | {mean:.2f} | {largest:.2f} | {count} |")
    lines.append("")
    dtype, size, part = shown(found)
    lines += _table(way, found[dtype, size, part], f"{dtype}, {power(size)} numbers, {part}")
    return "\n".join(lines)


def _table(way: Way, cells: Mapping[str, Measured], what: str) -> list[str]:
    last = "share" if way.is_fit else "copy"
    lines = [
        _EACH.format(what=what),
        f"| activation | group | ours | to the built-in | to the naive formula | {last} | bytes kept |",
        "|---|---|---|---|---|---|---|",
    ]
    for group in GROUPS:
        for name, one in cells.items():
            if one.group == group:
                ratios = [f"{one.ratios[other]:.2f}" if other in one.ratios else "" for other in ("builtin", "naive")]
                base = one.seconds["copy"]
                share = f"{1 - base / one.seconds['ours']:.0%}" if way.is_fit else f"{one.ratios['copy']:.2f}"
                row = (name, group, duration(one.seconds["ours"]), *ratios, share, kept(one))
                lines.append(f"| {' | '.join(row)} |")
    return [*lines, ""]


def _order(item: tuple[tuple[str, int, str], object]) -> tuple[str, int, int]:
    dtype, size, part = item[0]
    return dtype, size, PASSES.index(part)
