"""Deriving formulas that nobody tuned the generator for, and what it then says of itself.

``python -m tests.unseen.trials held_out_three --limit 600`` prints, for each spec of the set, how long it took and
every kernel that misses the accuracy contract; what is not done within the limit keeps no contract.

A set is for measuring until somebody looks at what it misses and mends that: from then on it is one to develop with.
All have been looked at so; most specs of development_two missed it when they were first built. Whoever measures again
has forty more written, by somebody who has not read the engine, and commits them before they are run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actgen import facts

FOLDER = Path(__file__).resolve().parent
SETS = tuple(sorted({path.parent.name for path in FOLDER.glob("*/*.toml")}))


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
    """The spec files of a set, without those activations that the catalogue has by now: they are built every day."""
    published = {path.name for path in (FOLDER.parents[1] / "specs").glob("*.toml")}
    return sorted(path for path in (FOLDER / name).glob("*.toml") if path.name not in published)


TARGETS = ("torch", "keras", "jax")


class NotDoneError(BaseException):
    """A derivation took too long; no `Exception`, lest it be taken for a formula that a form cannot serve."""


def trials(paths: Iterable[Path], workers: int = 2, limit: float | None = None) -> Mapping[str, Trial | BaseException]:
    """Derive every spec, in processes; what it came to or what it failed with, by name.

    Args:
        paths: of the specs.
        workers: how many processes.
        limit: the seconds that each derivation may take.
    """
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as executor:
        futures = {path.stem: executor.submit(trial, path, limit) for path in paths}
        return {name: future.exception() or future.result() for name, future in futures.items()}


def trial(path: Path, limit: float | None = None) -> Trial:
    """Derive one spec."""
    start = time.perf_counter()
    with stopped_after(limit):
        verdict = facts.judge(path, TARGETS)
    rows = tuple(row[1:] for row in verdict.rows)
    return Trial(time.perf_counter() - start, rows, tuple(verdict.missed))


@contextmanager
def stopped_after(seconds: float | None) -> Iterator[None]:
    """Stop what takes longer; in the main thread of a process only."""

    def stop(*_: object) -> None:
        raise NotDoneError(f"not done in {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)  # 0: no alarm
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def report(found: Mapping[str, Trial | BaseException]) -> str:
    """A paragraph a spec, and the count."""
    lines = []
    for name, outcome in found.items():
        if isinstance(outcome, NotDoneError):
            lines.append(f"{name}: {outcome}")
            continue
        if isinstance(outcome, BaseException):
            lines.append(f"{name}: does not derive: {type(outcome).__name__}: {outcome}")
            continue
        count = sum(row[-1] == "MISSED" for row in outcome.rows)
        lines.append(f"{name}: {outcome.seconds:.1f} s, {count} of {len(outcome.rows)} kernels miss")
        for formula, targets, form, cost, units, ulps, where, verdict in outcome.rows:
            if verdict == "MISSED":
                lines.append(
                    f"    {formula:12} {targets:12} {units:>10} units {ulps:>10} ulps at {where:14} {cost:12} {form}"
                )
    kept = sum(isinstance(outcome, Trial) and outcome.keeps_the_contract for outcome in found.values())
    return "\n".join([*lines, f"{kept} of {len(found)} keep the contract in every kernel"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.unseen.trials")
    parser.add_argument("set", choices=SETS)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of its specs; all if there is none")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for each derivation")
    asked = parser.parse_args()
    chosen = [path for path in specs(asked.set) if not asked.names or path.stem in asked.names]
    print(report(trials(chosen, limit=asked.limit)))
