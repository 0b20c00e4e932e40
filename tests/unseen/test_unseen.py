"""Formulas that were written down before the generator saw them: they all build, and nearly all keep the contract.

The derivations of a set take minutes and as many builds and framework tests a quarter of an hour, so by default
every eighth spec of the development set is derived. ``ACTGEN_UNSEEN=development`` (or other names of
:mod:`tests.unseen.trials`, with commas between them) takes whole sets. What is held out never runs by itself: every
look at it makes it less so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from actgen.spec import load_specs
from tests.unseen.trials import FOLDER, SETS, NotDoneError, Trial, report, specs, trials

ROOT = FOLDER.parents[1]
SIZE = 40
LEAST = 27
"""Specs of a set that the catalogue does not have, by now."""

REQUIRED = 38 / 40
ASKED_FOR = tuple(name for name in os.environ.get("ACTGEN_UNSEEN", "").split(",") if name)

whole_sets = pytest.mark.skipif(not ASKED_FOR, reason="takes minutes; set ACTGEN_UNSEEN=development to run it")


@cache
def derived(name: str) -> Mapping[str, Trial | BaseException]:
    return trials(specs(name))


@pytest.mark.parametrize("name", SETS)
def test_a_set_holds_forty_specs_and_most_are_not_in_the_catalogue(name: str) -> None:
    published = {path.stem for path in (ROOT / "specs").glob("*.toml")}
    stems = {activation.name for activation in load_specs(FOLDER / name)}
    assert len(stems) == SIZE
    assert {path.stem for path in specs(name)} == stems - published
    assert len(stems - published) >= LEAST


def test_no_formula_is_in_two_sets() -> None:
    texts = [" ".join(one.expression_text.split()) for name in SETS for one in load_specs(FOLDER / name)]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_what_is_not_done_in_time_is_stopped_and_keeps_no_contract() -> None:
    found = trials(specs("development")[:1], limit=0.01)
    (outcome,) = found.values()
    assert isinstance(outcome, NotDoneError)
    assert report(found).splitlines() == [
        f"{specs('development')[0].stem}: not done in 0.01 s",
        "0 of 1 keep the contract in every kernel",
    ]


def test_some_of_the_development_set_derive_and_say_what_they_miss() -> None:
    found = trials(specs("development")[5::8])
    for name, outcome in found.items():
        assert isinstance(outcome, Trial), report(found)
        marked, partial = set(), ""
        for row in outcome.rows:
            partial = row[0] or partial  # named in the first row of several for different targets
            marked |= {partial} if row[-1] == "MISSED" else set()
        assert marked == {line.removeprefix(f"{name} ").split(" (")[0] for line in outcome.missed}
        assert all(line.startswith(f"{name} ") and " at x = " in line for line in outcome.missed)


@whole_sets
@pytest.mark.parametrize("name", ASKED_FOR)
def test_every_spec_of_a_set_derives(name: str) -> None:
    found = derived(name)
    assert not {stem: outcome for stem, outcome in found.items() if isinstance(outcome, BaseException)}


@whole_sets
@pytest.mark.parametrize("name", ASKED_FOR)
def test_nearly_every_spec_of_a_set_keeps_the_contract_in_every_kernel(name: str) -> None:
    found = derived(name)
    kept = [stem for stem, outcome in found.items() if isinstance(outcome, Trial) and outcome.keeps_the_contract]
    assert len(kept) >= REQUIRED * len(found), "\n" + report(found)


@whole_sets
@pytest.mark.parametrize("name", ASKED_FOR)
def test_what_is_built_of_a_set_passes_its_own_tests_in_the_frameworks(name: str, tmp_path: Path) -> None:
    out = tmp_path / "activations"
    build = [sys.executable, "-m", "actgen", "build", "--specs", str(FOLDER / name), "--out", str(out), "--jobs", "2"]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line"]
    command = [sys.executable, "-m", "pytest", *options, "activations/tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
