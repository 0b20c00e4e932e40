"""Many specs at once: in processes, none of which is left behind when the command is stopped or killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from actgen.build.errors import BuildError
from actgen.build.progress import Progress

T = TypeVar("T")
R = TypeVar("R")


def run_all(
    function: Callable[[T], R],
    arguments: Mapping[str, T],
    *,
    workers: int | None,
    progress: Progress,
    apart: bool = False,
) -> list[R]:
    """The function of every argument, in their order.

    One argument, or one worker, runs in this process: starting another costs more than it saves.

    Args:
        function: what to run; picklable, like its arguments and results.
        arguments: what to run it on, by the name that progress is told.
        workers: how many processes; None for one on each processor that we may use.
        progress: told of each one that is done.
        apart: whether nothing may run in this process, not even one argument.

    Raises:
        BuildError: a worker died (out of memory, for example).
    """
    count = min(len(arguments), workers or _processors())
    progress.start(len(arguments))
    try:
        if count > 1 or (apart and arguments):
            return _run_in_processes(function, arguments, count, progress)
        results = []
        for name, argument in arguments.items():
            with _named(name):
                results.append(function(argument))
            progress.finish(name)
        return results
    finally:
        progress.stop()


@contextmanager
def _named(name: str) -> Iterator[None]:
    """A traceback says which spec it comes from, so that the others can be built without it."""
    try:
        yield
    except Exception as error:
        error.add_note(f"while {name} was derived; please report it with the spec")
        raise


def _run_in_processes(
    function: Callable[[T], R], arguments: Mapping[str, T], count: int, progress: Progress
) -> list[R]:
    # `spawn` on every system: a fork would copy the locks of whatever threads the caller runs (rich's, numpy's).
    context = multiprocessing.get_context("spawn")
    strangers = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker)
    try:
        futures = {executor.submit(function, argument): name for name, argument in arguments.items()}
        for future in as_completed(futures):
            with _named(futures[future]):
                future.result()
            progress.finish(futures[future])
        executor.shutdown()
    except BaseException as error:
        # Ctrl-C, or one failed: do not wait for the others.
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - strangers:
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise BuildError("a worker process died, perhaps for want of memory; try --jobs 1") from error
        raise
    return [future.result() for future in futures]


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


def _processors() -> int:
    """The processors that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
