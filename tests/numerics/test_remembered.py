"""Choices are kept for those who ask for it, are found again to the last bit, and never outlive what decided them."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actgen.numerics import Derivation, Judgement, Kernel, derive, remembered, remembering
from actgen.numerics.choice import choose_kernels
from actgen.numerics.emulation import IDEAL
from actgen.numerics.judge import Judge
from actgen.spec import load_spec

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACTGEN_CACHE_DIR", str(tmp_path))
    return tmp_path / "choices"


def derived(name: str = "leaky_relu") -> Derivation:
    return derive(load_spec(SPECS / f"{name}.toml"), IDEAL)


def count_choices(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows with every formula for which a kernel is searched."""
    searched: list[object] = []

    def search(judge: Judge, *others: Any) -> list[tuple[Kernel, Judgement]]:
        searched.append(judge.expression)
        return choose_kernels(judge, *others)

    monkeypatch.setattr(remembered, "choose_kernels", search)
    return searched


@pytest.mark.parametrize("name", ["leaky_relu", "silu"])
def test_a_remembered_choice_is_the_choice(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    first = derived(name)
    with remembering():
        derived(name)
        searched = count_choices(monkeypatch)
        again = derived(name)
    assert not searched
    assert again.kernels == first.kernels
    for order, kernel in first.kernels.items():
        assert again.kernels[order].nodes == kernel.nodes
        assert list(again.kernels[order].names.items()) == [
            (node, given) for node, given in kernel.names.items() if node in kernel.nodes
        ]
        assert again.judgements[order].reason == first.judgements[order].reason
        assert again.judgements[order].candidates == first.judgements[order].candidates
        assert again.judgements[order].units == first.judgements[order].units


def test_nobody_who_did_not_ask_reads_or_writes(folder: Path) -> None:
    derived()
    assert not folder.exists()


def test_anew_means_anew_and_leaves_the_choice_for_the_next(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    searched = count_choices(monkeypatch)
    for _ in range(2):
        with remembering(anew=True):
            derived()
    assert len(searched) == 2 * len(set(searched)) > 0
    with remembering():
        derived()
    assert len(searched) == 2 * len(set(searched))
    assert len(list(folder.iterdir())) == len(set(searched))


def test_a_file_that_was_damaged_is_not_believed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    with remembering():
        expected = derived()
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes().replace(b"variable", b"constant"))
        searched = count_choices(monkeypatch)
        again = derived()
    assert searched
    assert again.kernels == expected.kernels


@pytest.mark.parametrize("what", ["machine", "sources", "setting"])
def test_another_question_has_another_answer(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    spec = load_spec(SPECS / "leaky_relu.toml")
    with remembering():
        derive(spec, IDEAL)
        searched = count_choices(monkeypatch)
        if what == "machine":
            derive(spec, type(IDEAL)(IDEAL.name, not IDEAL.flushes))
        elif what == "sources":
            monkeypatch.setattr(remembered, "_sources", lambda: "others")
            derive(spec, IDEAL)
        else:
            parameters = tuple(replace(p, default=p.default * 2) for p in spec.parameters)
            derive(replace(spec, parameters=parameters), IDEAL)
    assert searched


def test_the_digest_covers_what_the_search_imports() -> None:
    found = {path.name for path in remembered._imported(Path(inspect.getfile(choose_kernels)))}
    assert {"choice.py", "judge.py", "oracle.py", "balls.py", "rules.py", "twofold.py", "kernel.py"} <= found
    assert not {"remembered.py", "derivation.py", "gated.py"} & found
