"""What is compiled before it is used: the machine code of targets that run kernels as such."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from actgen.build.errors import BuildError, InputError
from actgen.build.settings import Settings

if TYPE_CHECKING:
    from actgen.targets.target import CompiledTarget


def compiled_targets(settings: Settings) -> tuple[CompiledTarget, ...]:
    """Return the targets among those of the settings that are compiled.

    Raises:
        InputError: there is none.
    """
    from actgen.targets.target import compiled, load_targets

    targets = compiled(load_targets(settings.targets))
    if not targets:
        among = ", ".join(settings.targets)
        raise InputError(f"--compile: of the targets {among} none is compiled; add torch_fused")
    return targets


def compile_ahead(settings: Settings, jobs: int | None = None) -> tuple[str, ...]:
    """Compile what was built, each by the program that its target emitted; return what was not compiled before.

    Args:
        settings: where the code is, and its targets.
        jobs: compilers at a time; None for one on each processor.

    Raises:
        InputError: nothing that is built for is compiled.
        BuildError: it cannot be compiled.
    """
    made: list[str] = []
    for target in compiled_targets(settings):
        # In a process of its own, which imports the framework; -P, or the emitted modules there would hide others.
        command = [sys.executable, "-P", str(settings.out / target.script), *(["-j", str(jobs)] if jobs else [])]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            problem = done.stderr.strip()
            last = problem.rpartition("\n")[2]
            if last.startswith("ModuleNotFoundError: "):
                problem = f"{last.partition(': ')[2]}; `pip install actgen[{target.borrows}]`"
            raise BuildError(f"{target.name}: {problem}")
        made += done.stdout.split()
    return tuple(made)
