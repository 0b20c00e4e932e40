"""Many specs at once: each in a process of its own, and none left behind when the build is stopped or killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from actgen.build.errors import BuildError
from actgen.build.pipeline import Emitted, Job, Pipeline
from actgen.build.progress import Progress


def emit_all(pipeline: Pipeline, jobs: Sequence[Job], *, workers: int | None, progress: Progress) -> list[Emitted]:
    """Every job's result, in the order of the jobs.

    One job, or one worker, runs in this process: starting another costs more than it saves.

    Args:
        pipeline: what to run.
        jobs: what to run it on.
        workers: how many processes; None for one on each processor that we may use.
        progress: told of each job as it is done.

    Raises:
        BuildError: a worker died (out of memory, for example).
    """
    count = min(len(jobs), workers or _processors())
    progress.start(len(jobs))
    try:
        if count <= 1:
            emitted = []
            for job in jobs:
                emitted.append(pipeline.emit(job))
                progress.finish(job.name)
            return emitted
        return _emit_in_processes(pipeline, jobs, count, progress)
    finally:
        progress.stop()


def _emit_in_processes(pipeline: Pipeline, jobs: Sequence[Job], count: int, progress: Progress) -> list[Emitted]:
    # `spawn` on every system: a fork would copy the locks of whatever threads the caller runs (rich's, numpy's).
    context = multiprocessing.get_context("spawn")
    strangers = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker)
    try:
        futures = {executor.submit(pipeline.emit, job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            progress.finish(futures[future].name)
        executor.shutdown()
    except BaseException as error:
        # Ctrl-C, or one job failed: do not wait for the others.
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
