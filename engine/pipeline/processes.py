"""datatrove's executor for one machine, with a process for each rank.

datatrove's own has a pool, which waits for ever when one of its processes is killed.
"""

from __future__ import annotations

from multiprocessing.connection import wait
from typing import Any

import multiprocess
from datatrove.executor.local import LocalPipelineExecutor

from gradus.errors import GradusError


class ProcessExecutor(LocalPipelineExecutor):
    """Runs each rank in a process of its own, so many at a time."""

    def run(self) -> None:
        """Run the ranks that are not done; when one ends badly the others go on."""
        self.save_executor_as_json()
        context = multiprocess.get_context("spawn")  # a fork would copy the leader's locks
        left = self.get_incomplete_ranks()
        running: dict[int, tuple[int, Any]] = {}
        died = []
        try:
            while left or running:
                while left and len(running) < self.workers:
                    rank = left.pop(0)
                    process = context.Process(target=self._run_for_rank, args=(rank, rank))
                    process.start()
                    running[process.sentinel] = rank, process
                ready = wait(list(running))
                for sentinel in [sentinel for sentinel in running if sentinel in ready]:
                    rank, process = running.pop(sentinel)
                    process.join()
                    if process.exitcode:
                        died.append(f"rank {rank} with exit code {process.exitcode}")
        finally:
            for _, process in running.values():
                process.terminate()
                process.join()
        if died:
            raise GradusError(f"processes ended early: {', '.join(died)}")
