import json
import time
from contextlib import suppress

import pyarrow.parquet as pq
import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gradus.log import logger
from gradus.trainer import progress
from gradus.trainer.config import WatchConfig
from gradus.trainer.run import Run
from gradus.trainer.watch import Watch

NOTHING_ELSE = WatchConfig()


def watch(folder, platform, *, config=NOTHING_ELSE, first=1, last=4):
    """Measure some steps of a run, going on after the one before first."""
    run = Run(folder, kind="sft")
    run.begin(step=first - 1, num_steps=4)
    with Watch(run, platform, config=config, step=first - 1, num_steps=4) as watched:
        for step in range(first, last + 1):
            extra = {"outcomes": {"pass": step}} if step > 1 else {}
            watched.measured(step, {"stage": "one", "loss": 1 / step, "tokens": 2 * step} | extra)


def test_a_run_leaves_its_measurements_as_lines_and_as_a_table(platform, tmp_path):
    watch(tmp_path / "run", platform)
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert all(0.05 < row["memory_gib"] < 64 for row in rows)
    table = pq.read_table(tmp_path / "run/metrics.parquet").to_pydict()
    assert table["step"] == [1, 2, 3, 4]
    assert table["loss"] == [row["loss"] for row in rows]
    assert table["outcomes"] == [None, '{"pass": 2}', '{"pass": 3}', '{"pass": 4}']


def test_what_was_measured_is_kept_when_a_run_fails(platform, tmp_path):
    run = Run(tmp_path / "run", kind="sft")
    run.begin(step=0, num_steps=4)
    with suppress(TypeError), Watch(run, platform, config=NOTHING_ELSE, step=0, num_steps=4) as watched:
        watched.measured(1, {"loss": 3.0})
        watched.measured(2, {"loss": object()})
    assert pq.read_table(tmp_path / "run/metrics.parquet")["loss"].to_pylist() == [3.0]


def test_tensorboard_shows_each_step_once_though_the_run_went_back(platform, tmp_path):
    config = WatchConfig(tensorboard=True)
    watch(tmp_path / "run", platform, config=config, last=3)
    watch(tmp_path / "run", platform, config=config, first=2)
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    assert {"loss", "tokens", "memory_gib"} <= {*events.Tags()["scalars"]}
    assert "stage" not in events.Tags()["scalars"]
    assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4]
    assert [event.value for event in events.Scalars("tokens")] == [2, 4, 6, 8]


def test_weights_and_biases_writes_into_the_run_without_a_network(platform, tmp_path):
    config = WatchConfig(wandb="offline", project="mine")
    watch(tmp_path / "run", platform, config=config, last=2)
    watch(tmp_path / "run", platform, config=config, first=3)
    wandb.teardown()  # which writes what is left, as at the end of a process
    first, second = sorted((tmp_path / "run/wandb").glob("offline-run-*/*.wandb"))
    # The same run, told to go on.
    assert first.name == second.name
    for path, loss in ((first, b"0.5"), (second, b"0.25")):
        written = path.read_bytes()
        assert b"mine" in written
        assert b"memory_gib" in written
        assert loss in written


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({"stage": "deep", "loss": 2.34567}, "stage deep  loss 2.346"),
        ({"tokens": 16384, "tokens_per_s": 25512.3}, "tokens 16384  tokens_per_s 25,512"),
        ({"mfu": 0.4712, "lr": 2e-5, "outcomes": {"pass": 1}}, "mfu 47.1%  lr 2e-05"),
    ],
)
def test_a_line_is_for_reading(metrics, shown):
    assert progress.line(metrics) == shown


def test_the_time_left_follows_the_pace_of_the_last_steps(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    left = progress.TimeLeft(1000, 100)
    for step in range(101, 111):
        now += 30
        said = left.after(step)
    assert said == "left 7:25:00"
    for step in range(111, 171):
        now += 1
        said = left.after(step)
    assert said == "left 0:13:50"


def test_each_step_is_a_line_where_nobody_looks(platform, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(logger, "info", lambda text, *values: said.append(text % values))
    watch(tmp_path / "run", platform, last=2)
    assert len(said) == 2
    assert said[1].startswith("step 2/4  stage one  loss 0.5  tokens 4  memory_gib ")
    assert said[1].endswith(("left 0:00:00", "left 0:00:01"))
