"""A result is known by all that it depends on, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from actgen.build import Settings
from actgen.catalog import find_activations
from actgen.verify import plan as planning
from actgen.verify import state
from actgen.verify.exhaustive import STRETCHES
from actgen.verify.plan import Plan, plan
from actgen.verify.record import Cell, Entry, Place
from actgen.verify.request import Request
from actgen.verify.state import Store
from tests.verify.test_record import GOOD

REQUEST = Request(("torch",), ("float32", "bfloat16"), (0, 1), ("eager", "compiled"), 256)


def made(project: Settings, request: Request = REQUEST, names: tuple[str, ...] = ("relu", "swish")) -> Plan:
    store = Store(project.root / "state")
    return plan(find_activations(names, project.specs), project, request, "torch", store)


def keys(made: Plan) -> set[str]:
    return {key for keys in made.keys.values() for key in keys}


def test_the_same_request_has_the_same_keys_one_a_place(project: Settings) -> None:
    one = made(project)
    assert one == made(project)
    assert len(keys(one)) == len(one.keys) == 2 * 2 * 2
    assert list(one.tasks) == ["torch relu", "torch swish"]


def rewrite_module(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.out / "torch/relu.py"
    path.write_text(path.read_text() + "# other code\n")


def rewrite_spec(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.specs / "relu.toml"
    path.write_text(path.read_text() + "# another formula\n")


def install_another_version(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "versions", lambda framework: "torch 99.0")


def measure_in_another_way(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MEASURE", state.MEASURE + 1)


@pytest.mark.parametrize("change", [rewrite_module, rewrite_spec, install_another_version, measure_in_another_way])
@pytest.mark.parametrize("is_exhaustive", [False, True])
def test_a_result_of_something_else_is_not_taken_for_it(
    project: Settings,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Settings, pytest.MonkeyPatch], None],
    is_exhaustive: bool,
) -> None:
    request = Request.of(["torch"], [], [], "0", None, is_exhaustive=True) if is_exhaustive else REQUEST
    before = made(project, request, ("relu",))
    change(project, monkeypatch)
    after = made(project, request, ("relu",))
    assert before.keys.keys() == after.keys.keys()
    assert keys(before).isdisjoint(keys(after))


@pytest.mark.parametrize("change", [{"orders": (0,)}, {"points": 512}])
def test_a_smaller_request_has_results_of_its_own(project: Settings, change: dict[str, object]) -> None:
    smaller = replace(REQUEST, **change)  # type: ignore[arg-type]  # fields of several types
    assert keys(made(project)).isdisjoint(keys(made(project, smaller)))


def test_modes_and_types_that_are_left_out_change_nothing_for_the_others(project: Settings) -> None:
    some = made(project, replace(REQUEST, modes=("eager",), dtypes=("float32",)))
    assert {place: made(project).keys[place] for place in some.keys} == some.keys
    assert set(some.keys) == {Place(name, "torch", "eager", "float32") for name in ("relu", "swish")}


def test_what_is_known_is_left_out_of_the_tasks(project: Settings) -> None:
    whole = made(project)
    (known,) = whole.keys[Place("relu", "torch", "eager", "float32")]
    Store(project.root / "state").write(known, Entry({("value", ""): Cell(GOOD, None)}))
    rest = made(project)
    assert rest.keys == whole.keys
    assert set(whole.tasks["torch relu"].keys.items()) - set(rest.tasks["torch relu"].keys.items()) == {
        (("eager", "float32"), known)
    }
    assert rest.tasks["torch swish"] == whole.tasks["torch swish"]


def test_every_stretch_of_an_exhaustive_run_has_a_key(project: Settings) -> None:
    request = Request.of(["torch"], [], [], None, None, is_exhaustive=True)
    stretches = made(project, request, ("relu",))
    assert list(stretches.keys) == [Place("relu", "torch", mode, "float32") for mode in ("eager", "compiled")]
    assert len(keys(stretches)) == 2 * STRETCHES
    assert stretches.points == 0
