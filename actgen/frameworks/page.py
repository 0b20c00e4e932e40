"""``docs/frameworks.md``: what frameworks call each activation, and where theirs is not ours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from actgen.frameworks.comparing import Comparison, Difference, End, Kink
from actgen.frameworks.elsewhere import Elsewhere
from actgen.spec import Activation
from actgen.verify.record import FRAMEWORKS
from actgen.verify.table import number

TITLES = {"torch": "PyTorch", "keras": "Keras", "jax": "JAX"}

_HEAD = """\
# The activations of the frameworks, and ours

What PyTorch, Keras and JAX call each activation, with which defaults, and where they differ from ours. Measured on
{versions} by `actgen frameworks`, which writes this page.

- **Defaults** are those of the framework's own signature. Where other arguments make it equal to ours, they are named.
- **Slope at a kink**: what automatic differentiation gives there, in float32 and eager mode. Ours is what the spec says
  ([the kink rule](spec-format.md#the-kink-rule)). No slope is wrong at a kink; but frameworks that disagree train
  differently.
- **Infinities and NaN**: the heading has what is right, the limit, and NaN for NaN.
- **Bold**: not as ours at a kink; wrong at an end.
- **Differences** elsewhere: the largest over a few thousand numbers of float32 from all binades. *Right* is who keeps
  the [accuracy contract](../README.md#what-it-gets-right), held against exact values; what is next to a kink is
  not judged. Errors are in units of the contract; in brackets in ULP. Other types and modes are in
  [ACCURACY.md](../generated/ACCURACY.md).

{summary}

## All of them

A framework's name is short for its function in `torch.nn.functional`, `keras.activations` or `jax.nn`; those of other
modules are written out. `*` where arguments other than the framework's defaults make it equal to ours. What has a
section below differs somewhere, or has other names: `tf` stands for `tensorflow`, `onnx` for the operators of ONNX.
What is not here (`actgen list`) none of the three has.
"""

_SHORT = {"torch": "torch.nn.functional.", "keras": "keras.activations.", "jax": "jax.nn."}


def render(
    activations: Sequence[Activation],
    comparisons: Iterable[Comparison],
    elsewhere: Mapping[str, Sequence[Elsewhere]],
    versions: str,
) -> str:
    """The page, but for its last line.

    Args:
        activations: ours, in the order of the page; those that no framework has are left out.
        comparisons: what was measured of each built-in.
        elsewhere: what else frameworks have, by activation.
        versions: of the frameworks.
    """
    found: dict[str, dict[str, Comparison]] = {}
    for one in comparisons:
        found.setdefault(one.activation, {})[one.framework] = one
    sections = {a.name: _section(a, found.get(a.name, {}), elsewhere.get(a.name, ())) for a in activations}
    known = [a for a in activations if a.name in found or a.name in elsewhere]
    summary = _summary([one for each in found.values() for one in each.values()])
    parts = [_HEAD.format(versions=versions, summary=summary), _index(known, found, sections)]
    return "\n".join([*parts, *(section for section in sections.values() if section)])


def _summary(comparisons: Sequence[Comparison]) -> str:
    measured = [one for one in comparisons if not one.unmeasured]

    def wrong(quantity: str) -> int:
        return sum(any(not end.is_theirs_right and end.quantity == quantity for end in one.ends) for one in measured)

    close = sum(all(each.right == "theirs" for each in one.differences) for one in measured)
    bent = sum(any(map(_is_bent, one.kinks)) for one in measured)
    return (
        f"Of {len(measured)} built-in functions that were measured, {close} keep the contract in value and slope, but "
        f"for the ends;\n{bent} have another slope than ours at a kink; at an infinity or NaN, {wrong('value')} have a "
        f"wrong value and {wrong('slope')} a wrong slope."
    )


def _index(
    activations: Sequence[Activation], found: Mapping[str, Mapping[str, Comparison]], sections: Mapping[str, str]
) -> str:
    rows = []
    for activation in activations:
        here = found.get(activation.name, {})
        name = f"[`{activation.name}`](#{activation.name})" if sections[activation.name] else f"`{activation.name}`"
        aliases = ", ".join(f"`{alias}`" for alias in activation.aliases)
        rows.append((name, aliases, *(_called(here[name]) if name in here else "" for name in FRAMEWORKS)))
    return _table(("ours", "aliases", *(TITLES[name] for name in FRAMEWORKS)), rows)


def _called(one: Comparison) -> str:
    return f"`{one.name.removeprefix(_SHORT[one.framework])}`{' *' if _is_changed(one) else ''}"


def _is_changed(one: Comparison) -> bool:
    """Whether arguments other than the framework's own defaults make it equal to ours."""
    return bool(_changes(one))


def _changes(one: Comparison) -> dict[str, str]:
    return {name: value for name, value in one.arguments.items() if (one.defaults or {}).get(name) != value}


_ENDS = [(quantity, end) for quantity in ("value", "slope") for end in ("-inf", "inf", "nan")]


def _section(activation: Activation, found: Mapping[str, Comparison], others: Sequence[Elsewhere]) -> str:
    """What there is to tell of an activation; empty if nothing."""
    ordered = [found[framework] for framework in FRAMEWORKS if framework in found]
    if not others and not any(map(_is_telling, ordered)):
        return ""
    parameters = "".join(f", {p.name}={float(p.default):.9g}" for p in activation.parameters)
    ours = f"{activation.name}(x{parameters})" if activation.kind == "elementwise" else activation.name
    told = [f"## {activation.name}\n", f"{activation.title}. Ours: `{ours}`.\n"]
    kinks = {kink.x: kink for one in ordered for kink in one.kinks}
    ends = {(end.quantity, str(end.x)): end for one in ordered for end in one.ends}
    ends = {key: ends[key] for key in sorted(ends, key=_ENDS.index)}
    heading = [
        *("function", "defaults", "equal to ours with"),
        *(f"slope at {x:g}, ours {kinks[x].ours:.6g}" for x in sorted(kinks)),
        *map(_end_heading, ends.values()),
    ]
    rows = [[*_function(one), *_slopes(one, sorted(kinks)), *_ends(one, ends)] for one in ordered]
    rows += [_other(one, len(heading)) for one in others if one.defaults or one.note]
    # A column in which nothing stands is left out.
    kept = [i for i in range(len(heading)) if any(row[i] for row in rows)]
    if len(kept) > 1:
        told.append(_table([heading[i] for i in kept], [[row[i] for i in kept] for row in rows]))
    names = [f"`{one.name}`" for one in others if not one.defaults and not one.note]
    told += [f"Also {', '.join(names)}.\n"] if names else []
    told += ["Ours trains by a surrogate slope, which is not compared.\n"] if activation.surrogate is not None else []
    differences = [(one, difference) for one in ordered for difference in one.differences]
    if differences:
        columns = (
            "built-in",
            "quantity",
            "at x",
            "exact",
            "built-in gives",
            "ours gives",
            "built-in is off by",
            "right",
        )
        told.append(_table(columns, [_difference(one, each) for one, each in differences]))
    reasons = dict.fromkeys(one.unmeasured for one in ordered if one.unmeasured)
    told += [f"Not measured: {reason}.\n" for reason in reasons]
    return "\n".join(told)


def _is_telling(one: Comparison) -> bool:
    return bool(one.differences or one.unmeasured or _is_changed(one) or one.ends or any(map(_is_bent, one.kinks)))


def _is_bent(kink: Kink) -> bool:
    """Whether the built-in has not the slope of ours."""
    return kink.theirs is None or not _is_same(kink.theirs, kink.ours)


def _function(one: Comparison) -> list[str]:
    defaults = {} if one.defaults is None else one.defaults
    told = ", ".join(f"`{name}={value}`" if value else f"`{name}`" for name, value in defaults.items())
    return [
        f"`{one.name}`",
        "not told" if one.defaults is None else told,
        ", ".join(f"`{name}={value}`" for name, value in _changes(one).items()),
    ]


def _slopes(one: Comparison, kinks: Sequence[float]) -> list[str]:
    known = {kink.x: kink for kink in one.kinks}
    return [_slope(known[x]) if x in known else "" for x in kinks]


def _slope(kink: Kink) -> str:
    if kink.theirs is None:
        return "none"
    told = f"{kink.theirs + 0.0:.6g}"
    return f"**{told}**" if _is_bent(kink) else told


def _ends(one: Comparison, ends: Mapping[tuple[str, str], End]) -> list[str]:
    known = {(end.quantity, str(end.x)): end for end in one.ends}
    told = []
    for key, end in ends.items():
        if one.unmeasured:
            told.append("")
        elif key in known and not known[key].is_theirs_right:
            told.append(f"**{known[key].theirs + 0.0:.6g}**")
        else:
            told.append(f"{end.exact + 0.0:.6g}")
    return told


def _end_heading(end: End) -> str:
    ours = "" if end.is_ours_right else f", ours {end.ours:.6g}"
    return f"{end.quantity} at {end.x:g}: {end.exact + 0.0:.6g}{ours}"


def _other(one: Elsewhere, columns: int) -> list[str]:
    defaults = ", ".join(f"`{name}={_literal(value)}`" for name, value in one.defaults.items())
    return [f"`{one.name}`", "; ".join(filter(None, (defaults, one.note))), *[""] * (columns - 2)]


def _literal(value: float | str | bool) -> str:
    if isinstance(value, float) and len(repr(value)) > len(f"{value:.9g}") + 2:
        return f"{value:.9g}"  # one of float32
    return "None" if value == "None" else repr(value)


def _is_same(theirs: float, ours: float) -> bool:
    return math.isclose(theirs, ours, rel_tol=1e-5, abs_tol=1e-30)


def _difference(one: Comparison, each: Difference) -> tuple[str, ...]:
    # Nine digits tell all numbers of float32 apart; six are easier to read.
    digits = 9 if f"{each.theirs:.6g}" == f"{each.exact:.6g}" else 6
    values = (f"{value + 0.0:.{digits}g}" for value in (each.x, each.exact, each.theirs, each.ours))
    return (f"`{one.name}`", each.quantity, *values, f"{number(each.units)} ({number(each.ulps)})", each.right)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(heading)} |"
        yield "|" + "---|" * len(heading)
        for row in rows:
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"

    return "\n".join(lines()) + "\n"
