"""A stage for tests: each rank writes a drop for every problem of its shard that has none; files make it misbehave."""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gradus.engine.parts import write_part
from gradus.engine.pipeline.reports import Report
from gradus.engine.records import Drop
from gradus.engine.workspace import Workspace


@contextmanager
def silent(what, total):
    yield lambda _: None


@dataclass(frozen=True)
class Marking:
    workspace: Workspace
    faults: Path
    settings: str = "as ever"
    name = "mark"

    def count_in(self, store):
        return store.rows("SELECT count(*) AS n FROM problems")[0]["n"]

    def count_records(self, store):
        return store.rows("SELECT count(*) AS n FROM drops")[0]["n"]

    def work(self, store, task):
        rank = task.shard.rank
        (self.faults / f"worked-{task.shard.world}-{rank}-{os.getpid()}").write_text(
            os.environ.get("RAY_RAYLET_PID", "")
        )
        if (self.faults / "meet").exists():
            until = time.monotonic() + 60
            while len(list(self.faults.glob("worked-*"))) < task.shard.world:
                assert time.monotonic() < until, "the other ranks do not work at the same time"
                time.sleep(0.05)
        drops = [
            Drop(record_id=problem.id, step="mark", reason="for the test")
            for problem in store.problems("NOT EXISTS (FROM drops WHERE record_id = problems.id)")
        ]
        write_part(self.workspace.parts, "mark", drops[:1], rank=task.writer)
        if self._once(f"raise-{rank}"):
            raise ValueError("the test says so")
        if self._once(f"kill-{rank}"):
            os.kill(os.getpid(), signal.SIGKILL)
        rest = drops[1:-1] if self._once(f"swallow-{rank}") else drops[1:]
        write_part(self.workspace.parts, "mark", rest, rank=task.writer)
        task.advance(len(drops))
        return Report(num_in=self.count_in(store), num_records=len(drops))

    def finish(self, store, folder, reports):  # noqa: ARG002
        return {"in": sum(report.num_in for report in reports.values()), "marked": self.count_records(store)}

    def _once(self, fault):
        """Return whether the fault is asked for; it is not, the next time."""
        path = self.faults / fault
        there = path.exists()
        path.unlink(missing_ok=True)
        return there
