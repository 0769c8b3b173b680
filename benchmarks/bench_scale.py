"""A workspace that grows: seconds, peak memory and disk of every stage at 10k, 100k and 1M attempts.

    python benchmarks/bench_scale.py [--rows 10000 100000 1000000] [--folder DIR] [--workers N] [--stages ingest sample]

Each stage runs in a process of its own, through the functions that the commands call, on a workspace made for the
purpose: word problems with 8 recorded attempts each, of which a share that differs by problem is right, one in 50 has
no number, and one in 20 ends in other words than the rest. One problem in 50 is another one re-typed, one in 100 is a
benchmark item with a new first sentence. No model runs: the teacher is a recording that counts as the student.

One line of JSON a stage and size: `seconds` (the process's start left out), `rss_mb` (peak resident memory of the
stage's process, with what starting it takes, `idle_mb`), `cpu_s` (workers too), `worker_mb` (of the largest worker
process), `spill_mb` (peak of the database's temporary files), disk by kind, and what the stage returned. The last lines
compare sizes: `exponents` are the slopes of seconds over attempts on logarithmic axes, 1 where growth is linear.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ATTEMPTS = 8
CHECKED_EVERY_S = 0.02
NAMES = [
    "Ada",
    "Bo",
    "Cy",
    "Dot",
    "Eve",
    "Flo",
    "Gus",
    "Hal",
    "Ivy",
    "Jon",
    "Kim",
    "Lou",
    "Mia",
    "Ned",
    "Oda",
    "Pam",
    "Quy",
    "Ray",
    "Sue",
    "Tom",
    "Uma",
    "Vic",
    "Wes",
    "Xia",
    "Yan",
    "Zoe",
]
THINGS = [
    "apples",
    "books",
    "coins",
    "discs",
    "eggs",
    "flags",
    "games",
    "hats",
    "inks",
    "jars",
    "kites",
    "lamps",
    "maps",
    "nuts",
    "oars",
    "pens",
    "rings",
]
PLACES = [
    "market",
    "fair",
    "library",
    "harbour",
    "station",
    "school",
    "museum",
    "garden",
    "bakery",
    "workshop",
    "theatre",
    "farm",
]
RECIPE = """
name = "scale"

[teacher]
kind = "recorded-student"
model = "{recording}"

[sample]
num_attempts = {attempts}

[correct]
failures_per_problem = 1

[[stages]]
name = "foundation"
context_length = 1024
token_budget = {half}
mixture = {{ "*/cot" = 1.0 }}

[[stages]]
name = "more"
context_length = 2048
token_budget = {half}
mixture = {{ "*/cot" = 1.0 }}

[rl]
band = [0.2, 0.8]
quotas = {{ math = 4 }}
"""


class World:
    """The files of one size: a workspace, the problems, what the student said, the recipe."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows = folder, rows
        self.problems, self.recording = folder / "problems.jsonl", folder / "student.jsonl"
        self.benchmark, self.recipe = folder / "benchmark.jsonl", folder / "scale.toml"
        self.root = folder / "workspace"

    def make(self) -> None:
        """Write the files, a line at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(self.rows)
        with self.problems.open("w") as problems, self.recording.open("w") as recording:
            for prompt, expected in _problems(self.rows // ATTEMPTS, rng):
                spec = {"expected": str(expected)}
                told = {"prompt": prompt, "domain": "math", "verifier": "math", "spec": spec, "source": "scale"}
                problems.write(json.dumps(told) + "\n")
                recording.write(json.dumps({"ask": prompt, "answers": _answers(expected, rng)}) + "\n")
        with self.benchmark.open("w") as items:
            for i in range(200):
                items.write(json.dumps({"prompt": _item(i)[0], "answer": str(_item(i)[1])}) + "\n")
        text = RECIPE.format(recording=self.recording, attempts=ATTEMPTS, half=self.rows * 10)
        self.recipe.write_text(text)


def _problems(num: int, rng: random.Random) -> Iterator[tuple[str, int]]:
    last = _story(0, rng)
    for i in range(num):
        if i % 100 == 99:
            prompt, expected = _item(i // 100)
            yield f"Here is number {i} of my puzzles for the week. {prompt}", expected
        elif i % 50 == 49:
            yield last[0].upper().replace(".", " . "), last[1]
        else:
            last = _story(i, rng)
            yield last


def _story(number: int, rng: random.Random) -> tuple[str, int]:
    a, b, c = (rng.randrange(2, 900) for _ in range(3))
    one, other = rng.sample(NAMES, 2)
    thing, place = rng.choice(THINGS), rng.choice(PLACES)
    text = (
        f"On day {number} at the {place}, {one} buys {a} {thing} and then {b} more on the way home. {other} brings "
        f"{c} boxes of {thing}, each of which holds 12. How many {thing} do {one} and {other} have together?"
    )
    return text, a + b + 12 * c


def _item(i: int) -> tuple[str, int]:
    return _story(10**9 + i % 200, random.Random(f"benchmark/{i % 200}"))


def _answers(expected: int, rng: random.Random) -> list[str]:
    share = rng.random()
    answers = []
    for _ in range(ATTEMPTS):
        found = expected if rng.random() < share else expected + rng.randrange(1, 50)
        first = rng.choice(NAMES)
        text = f"First we add what {first} has, {rng.randrange(10**6)} steps aside. Each box holds 12, so we multiply. "
        end = f"Together that makes {found}. The answer is \\boxed{{{found}}}."
        answers.append(text + ("I do not know how to go on." if rng.random() < 0.02 else end))
    return answers


Stage = Callable[[World, int], Any]


def ingest(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus problems import`."""
    from gradus.api.importing import import_rows
    from gradus.engine.exchange.layouts.base import Told
    from gradus.engine.exchange.rows import open_rows
    from gradus.engine.workspace import Workspace

    told = Told(source="scale", licence="", domain="", tags=())
    return import_rows(Workspace.create(world.root), open_rows(str(world.problems)), "jsonl", told)


def sample(world: World, workers: int) -> Any:
    """`gradus sample`."""
    from gradus.api import steps

    counts = steps.sample(_workspace(world), _recipe(world), workers=workers)
    return {key: counts[key] for key in ("problems", "attempts", "made", "left")}


def judge(world: World, workers: int) -> Any:
    """`gradus judge`."""
    from gradus.api import steps

    return steps.judge(_workspace(world), workers=workers)


def score(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus score`: difficulty computed anew."""
    from gradus.api import steps

    return steps.score(_workspace(world))["pass_rates"]


def dedupe(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus dedupe problems --near`."""
    from gradus.api import cleaning
    from gradus.engine.clean.dedupe import DedupeConfig

    return cleaning.dedupe(_workspace(world), "problems", DedupeConfig(near=True))


def decontaminate(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus decontaminate --against FILE`."""
    from gradus.api import cleaning

    return cleaning.decontaminate(_workspace(world), str(world.benchmark))


def curriculum(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus curriculum build`, which makes the traces first."""
    from gradus.api import steps
    from gradus.curricula import manifest

    made = manifest.read(steps.build(_workspace(world), _recipe(world)))
    stages = {stage.name: {"traces": stage.num_traces, "tokens": stage.num_tokens} for stage in made.stages}
    return {"stages": stages, "dropped": made.dropped, "rl": made.rl.problems.num_rows if made.rl else 0}


def export(world: World, workers: int) -> Any:  # noqa: ARG001
    """`gradus export --what attempts --format parquet`."""
    from gradus.engine.export.export import export as write

    return write(_workspace(world), world.folder / "exported", what="attempts", form="parquet")


def again(world: World, workers: int) -> Any:  # noqa: ARG001
    """Open the database, with nothing new, as every command does."""
    from gradus.engine.store import open_store

    with open_store(_workspace(world)) as store:
        return {"attempts": store.rows("SELECT count(*) AS n FROM attempts")[0]["n"]}


def rebuild(world: World, workers: int) -> Any:  # noqa: ARG001
    """Make the database anew from the parts: what ingestion of Parquet costs by itself."""
    from gradus.engine.store import open_store

    workspace = _workspace(world)
    workspace.database.unlink()
    for path in workspace.snapshots.iterdir():
        path.unlink()
    with open_store(workspace) as store:
        return {"attempts": store.rows("SELECT count(*) AS n FROM attempts")[0]["n"]}


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (ingest, sample, judge, score, dedupe, decontaminate, curriculum, export, again, rebuild)
}


def _workspace(world: World) -> Any:
    from gradus.engine.workspace import Workspace

    return Workspace.find(world.root)


def _recipe(world: World) -> Any:
    from gradus.curricula.recipe import load_recipe
    from gradus.engine.models import default_model, model_id
    from gradus.engine.teachers.base import teachers
    from gradus.engine.teachers.replay import ReplayTeacher

    @teachers.register("recorded-student")
    class RecordedStudent(ReplayTeacher):
        @staticmethod
        def identify(config: Any) -> str:  # noqa: ARG004
            return model_id(default_model())

    return load_recipe(str(world.recipe))


def run_stage(name: str, world: World, workers: int) -> None:
    """Run one stage in this process, and print what it took."""
    import gradus.api.steps  # noqa: F401 - what every command loads is no part of a stage

    idle = peak_mb("self")
    start, cpu = time.perf_counter(), os.times()
    told = STAGES[name](world, workers)
    seconds, spent = time.perf_counter() - start, os.times()
    cpu_s = sum(spent[:4]) - sum(cpu[:4])
    line = {"seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2), "idle_mb": idle, "rss_mb": peak_mb("self")}
    print(json.dumps(line | {"told": told}))


def peak_mb(process: str) -> int:
    """Return the most memory that a process has had; `getrusage` begins with that of its parent."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) >> 10 if found else 0


class Watched:
    """How large a folder, and the workers of a process, become while a block runs."""

    def __init__(self, folder: Path, process: int) -> None:
        self.folder, self.process, self._ended = folder, process, threading.Event()
        self.folder_bytes = self.worker_mb = 0

    def __enter__(self) -> Watched:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(CHECKED_EVERY_S):
            self.folder_bytes = max(self.folder_bytes, size_bytes(self.folder))
            for worker in children(self.process):
                self.worker_mb = max(self.worker_mb, peak_mb(worker))


def children(process: int) -> list[str]:
    """Return the processes that a process's main thread started."""
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []


def size_bytes(path: Path) -> int:
    """Return the size of a file, or of a folder's files, links left out."""
    total = 0
    for folder, _, names in os.walk(path):  # unlike rglob, it bears folders that go away meanwhile
        for found in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                total += 0 if found.is_symlink() else found.stat().st_size
    return total or (path.stat().st_size if path.is_file() else 0)


def measured(name: str, world: World, workers: int) -> dict[str, Any]:
    """Run one stage in a process of its own."""
    command = [sys.executable, __file__, "--stage", name, "--rows", str(world.rows), "--folder", str(world.folder)]
    run = subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.PIPE, text=True)
    with Watched(world.root / "gradus.duckdb.tmp", run.pid) as seen:
        out = run.communicate()[0]
    if run.returncode:
        sys.exit(f"{name} at {world.rows} attempts failed")
    line = json.loads(out.splitlines()[-1])
    disk = {"parts": "parts", "database": "gradus.duckdb", "snapshots": "snapshots", "curricula": "curricula"}
    sizes = {f"{what}_mb": round(size_bytes(world.root / where) / 2**20, 1) for what, where in disk.items()}
    told = line.pop("told")
    rate = round(world.rows / line["seconds"])
    return {"attempts": world.rows, "stage": name, **line, "attempts_per_s": rate} | {
        "worker_mb": seen.worker_mb,
        "spill_mb": round(seen.folder_bytes / 2**20, 1),
        **sizes,
        "told": told,
    }


def compared(lines: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return how one stage grew from each size to the next."""
    found = [line for line in lines if line["stage"] == name]
    growth = []
    for small, large in itertools.pairwise(found):
        ratio = math.log(large["attempts"] / small["attempts"])
        exponents = {
            name: round(math.log(max(large[name], 0.01) / max(small[name], 0.01)) / ratio, 2)
            for name in ("seconds", "cpu_s")
        }
        growth.append({"to": large["attempts"], "exponents": exponents, "more_mb": large["rss_mb"] - small["rss_mb"]})
    return {"stage": name, "growth": growth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="attempts")
    parser.add_argument("--folder", type=Path, help="keep the workspaces here (default: a temporary folder)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--stage", choices=list(STAGES), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stage:
        run_stage(args.stage, World(args.folder, args.rows[0]), args.workers)
        return
    import torch
    from common import about

    print(json.dumps(about(torch.device("cpu"))))
    folder = args.folder or Path(tempfile.mkdtemp(prefix="scale-"))
    lines = []
    for rows in args.rows:
        world = World(folder / str(rows), rows)
        if not world.recipe.exists():
            world.make()
        for name in args.stages:
            lines.append(measured(name, world, args.workers))
            print(json.dumps(lines[-1]), flush=True)
        if not args.folder:
            shutil.rmtree(world.folder)
    for name in args.stages:
        print(json.dumps(compared(lines, name)))


if __name__ == "__main__":
    main()
