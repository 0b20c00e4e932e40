"""Pictures of a record: for each way, bars of the ratios at the largest size in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from actgen.bench.record import GROUPS, Measured, Record
from actgen.bench.table import places, power, rival, shown
from actgen.bench.ways import WAYS, Way
from actgen.plot import COLOURS, STYLE

_LIMIT = 8.0
"""Bars end here, with the number beside them: one that is far off would make the others invisible."""


def draw(record: Record, folder: Path) -> dict[str, str]:
    """Draw ``WAY.svg`` and ``WAY.png`` for each way that was measured; return the PNG's name by way."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, way in WAYS.items():
        found = places(record, name)
        if not found:
            continue
        key = shown(found)
        if any(rival(one) for one in found[key].values()):
            _draw(way, key, found[key], folder)
            drawn[name] = f"{name}.png"
    return drawn


def _draw(way: Way, key: tuple[str, int, str], cells: Mapping[str, Measured], folder: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    ranked = [
        (group, name, one.ratios[against], against)
        for group in GROUPS
        for name, one in sorted(cells.items(), key=lambda item: _ratio(item[1]))
        if one.group == group and (against := rival(one)) is not None
    ]
    dtype, size, part = key
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.0, 1.4 + 0.22 * len(ranked)), dpi=120, layout="constrained")
        axes = figure.subplots()
        for place, (group, _, number, _) in enumerate(ranked):
            end = min(max(number, 1 / _LIMIT), _LIMIT)
            axes.barh(place, math.log2(end), color=COLOURS[GROUPS.index(group)], height=0.7)
            side = "left" if end >= 1 else "right"
            text = f" {number:.2f} "
            axes.text(math.log2(end), place, text, ha=side, va="center", fontsize=7)
        labels = [name if against == "builtin" else f"{name} (naive)" for _, name, _, against in ranked]
        axes.set_yticks(range(len(ranked)), labels, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(-math.log2(_LIMIT) - 0.5, math.log2(_LIMIT) + 0.5)
        ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
        axes.set_xticks([math.log2(tick) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.axvline(0, color="black", linewidth=0.8)
        axes.grid(visible=False, axis="y")
        for group in dict.fromkeys(group for group, *_ in ranked):
            axes.barh([0], [0], color=COLOURS[GROUPS.index(group)], label=group)
        figure.legend(loc="outside lower center", ncols=len(GROUPS), fontsize=8)
        axes.set_xlabel("time, ours to the built-in, or to the formula as typed: to the left of 1 ours is faster")
        figure.suptitle(f"{way.title}: {dtype}, {power(size)} numbers, {part}", fontsize=11)
        for ending in ("png", "svg"):
            figure.savefig(folder / f"{way.name}.{ending}", metadata={"Date": None} if ending == "svg" else None)


def _ratio(one: Measured) -> float:
    against = rival(one)
    return one.ratios[against] if against else 0.0
