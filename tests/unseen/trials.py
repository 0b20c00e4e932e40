"""Deriving formulas that nobody tuned the generator for, and what it then says of itself.

``python -m tests.unseen.trials development`` prints, for each spec of the set, how long it took and every kernel that
misses the accuracy contract. The set ``held_out`` is for measuring, not for developing: whoever looks at what it misses
and mends that has made it a second development set.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from actgen import facts

FOLDER = Path(__file__).resolve().parent
SETS = ("development", "held_out")


@dataclass(frozen=True)
class Trial:
    """What became of one spec.

    Attributes:
        seconds: how long its derivation took.
        rows: one a kernel, as `actgen check` shows them: formula, form, cost, units, ulps, where, verdict.
        missed: the lines by which `actgen check` names what misses the contract.
    """

    seconds: float
    rows: tuple[tuple[str, ...], ...]
    missed: tuple[str, ...]

    @property
    def keeps_the_contract(self) -> bool:
        """Whether every kernel does."""
        return not self.missed


def specs(name: str) -> list[Path]:
    """The spec files of a set."""
    return sorted((FOLDER / name).glob("*.toml"))


TARGETS = ("torch", "keras", "jax")


def trials(paths: Iterable[Path], workers: int = 2) -> Mapping[str, Trial | BaseException]:
    """Derive every spec, each in a process; what it came to or what it failed with, by name."""
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as executor:
        futures = {path.stem: executor.submit(trial, path) for path in paths}
        return {name: future.exception() or future.result() for name, future in futures.items()}


def trial(path: Path) -> Trial:
    """Derive one spec."""
    start = time.perf_counter()
    verdict = facts.judge(path, TARGETS)
    rows = tuple(row[1:] for row in verdict.rows)
    return Trial(time.perf_counter() - start, rows, tuple(verdict.missed))


def report(found: Mapping[str, Trial | BaseException]) -> str:
    """A paragraph a spec, and the count."""
    lines = []
    for name, outcome in found.items():
        if isinstance(outcome, BaseException):
            lines.append(f"{name}: does not derive: {type(outcome).__name__}: {outcome}")
            continue
        lines.append(f"{name}: {outcome.seconds:.1f} s, {len(outcome.missed)} of {len(outcome.rows)} kernels miss")
        for formula, targets, form, cost, units, ulps, where, verdict in outcome.rows:
            if verdict == "MISSED":
                lines.append(
                    f"    {formula:12} {targets:12} {units:>10} units {ulps:>10} ulps at {where:14} {cost:12} {form}"
                )
    kept = sum(isinstance(outcome, Trial) and outcome.keeps_the_contract for outcome in found.values())
    return "\n".join([*lines, f"{kept} of {len(found)} keep the contract in every kernel"])


if __name__ == "__main__":
    chosen, *names = sys.argv[1:]
    print(report(trials(path for path in specs(chosen) if not names or path.stem in names)))
