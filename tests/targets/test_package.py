"""The package that activations lie in: found by name, imported one by one."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from actgen.spec.names import NamingError, check_activation, check_alias
from actgen.targets.package import package
from actgen.targets.target import Entry

ENTRIES = (
    Entry("swish", "Swish", (), ""),
    Entry("silu", "SiLU", (), ""),
    Entry("smish", "Smish", (), ""),
    Entry("hard_swish", "HardSwish", ("hard_silu", "hardswish"), ""),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package `by_name.fake`, whose activations return their own names."""
    folder = tmp_path_factory.mktemp("package")
    write(folder)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("by_name.fake")
    sys.path.remove(str(folder))


def write(folder: Path) -> None:
    home = folder / "by_name" / "fake"
    home.mkdir(parents=True)
    (folder / "by_name" / "__init__.py").touch()
    (home / "__init__.py").write_text(package("Fakes.", ENTRIES))
    for entry in ENTRIES:
        lines = [f"def {entry.name}(x):\n    return {entry.name!r}", f"class {entry.class_name}: pass"]
        lines += [f"{alias} = {entry.name}" for alias in entry.aliases]
        (home / f"{entry.name}.py").write_text("\n".join(lines))


def test_a_name_and_an_alias_give_the_function(found: ModuleType) -> None:
    assert found.get("hard_swish") is found.hard_swish
    assert found.get("hard_silu") is found.get("hardswish") is found.hard_swish
    assert found.get("swish")(0) == "swish"
    assert found.get("silu")(0) == "silu"


def test_what_can_be_called_is_returned_as_it_is(found: ModuleType) -> None:
    for activation in (found.swish, found.Swish, abs):
        assert found.get(activation) is activation


def test_an_unknown_name_is_refused_with_the_nearest_ones(found: ModuleType) -> None:
    message = "by_name.fake has no activation 'swsh'; near: 'swish', 'smish', 'hardswish'; names() lists all"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found.get("swsh")


@pytest.mark.parametrize(("wrong", "near"), [("SWISH", "swish"), ("hard-swish", "hard_swish"), ("HardSILU", "silu")])
def test_another_spelling_is_near(found: ModuleType, wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=rf"no activation '{wrong}'; near: .*'{near}'"):
        found.get(wrong)


@pytest.mark.parametrize("wrong", ["", "qqq", "get", "_MODULES", "sys", "by_name.fake.swish", "__class__"])
def test_what_is_no_name_of_an_activation_is_refused(found: ModuleType, wrong: str) -> None:
    message = re.escape(f"by_name.fake has no activation {wrong!r}; ")
    with pytest.raises(ValueError, match=rf"^{message}(near: .*; )?names\(\) lists all$"):
        found.get(wrong)


def test_the_name_of_a_class_is_refused_with_that_of_its_function(found: ModuleType) -> None:
    message = "'HardSwish' is a class, by_name.fake.HardSwish; its function is 'hard_swish'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found.get("HardSwish")


@pytest.mark.parametrize("wrong", [None, 3, {"class_name": "function", "config": "swish"}])
def test_what_is_neither_name_nor_function_is_refused(found: ModuleType, wrong: object) -> None:
    with pytest.raises(TypeError, match=r"by_name\.fake\.get takes the name of an activation, or a function, got "):
        found.get(wrong)


def test_names_are_those_of_activations_without_aliases_and_classes(found: ModuleType) -> None:
    assert found.names() == ["hard_swish", "silu", "smish", "swish"]


def test_a_package_without_classes_has_the_same_names() -> None:
    names = globals_of(Entry("swish", "", ("silu",), ""))["names"]
    assert callable(names)
    assert names() == ["swish"]


def test_finding_one_imports_no_other(tmp_path: Path) -> None:
    write(tmp_path)
    script = (
        "import sys, by_name.fake as fake\n"
        "def imported(): return sorted(name for name in sys.modules if name.startswith('by_name.fake.'))\n"
        "fake.names(); assert imported() == [], imported()\n"
        "try: fake.get('swsh')\n"
        "except ValueError: assert imported() == [], imported()\n"
        "fake.get('hard_silu'); assert imported() == ['by_name.fake.hard_swish'], imported()\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["gated", "get", "names", "register", "sys", "import_module", "get_close_matches"])
def test_no_activation_takes_a_name_of_the_package(name: str) -> None:
    for check in (check_activation, check_alias):
        with pytest.raises(NamingError, match="used by the emitted code"):
            check(name)


def test_every_global_of_the_package_is_taken() -> None:
    scope = globals_of()
    own = [name for name in scope if not name.startswith("_") and name.islower()]
    assert {"get", "names", "sys"} <= set(own)
    for name in own:
        with pytest.raises(NamingError):
            check_activation(name)


def globals_of(*entries: Entry) -> dict[str, object]:
    """What a package defines, without its module."""
    scope: dict[str, object] = {"__name__": "by_name.bare"}
    source, _, last = package("Fakes.", entries).rstrip().rpartition("\n")
    assert last == "sys.modules[__name__].__class__ = _Package"
    exec(source, scope)
    return scope
