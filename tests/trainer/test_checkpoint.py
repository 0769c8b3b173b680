"""Checkpoints of a small state by one process; test_resume.py has those of runs."""

import json
import resource
import shutil

import pytest
import torch

from gradus.errors import DataError, WorkspaceError
from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.config import CheckpointConfig

pytestmark = pytest.mark.usefixtures("platform")


class State:
    """A model's weights and an optimizer's count of steps."""

    def __init__(self, value=0.0):
        self.weights, self.steps = torch.full((300, 40), value), torch.tensor(value)

    def state_dict(self):
        return {"model": {"weights": self.weights}, "optimizer": {"steps": self.steps, "lr": 0.1}}

    def load_state_dict(self, state):
        assert state["optimizer"]["lr"] == 0.1
        self.weights, self.steps = state["model"]["weights"], state["optimizer"]["steps"]


def saved(folder, steps, **config):
    """Save a state that counts the steps; return what lies there."""
    with Checkpoints(folder, CheckpointConfig(**config)) as checkpoints:
        for step in steps:
            checkpoints.save(step, State(float(step)), {"step": step})
    return sorted(path.name for path in folder.iterdir())


def loaded(folder):
    """Return (step, state, extra) of the newest checkpoint."""
    with Checkpoints(folder, CheckpointConfig()) as checkpoints:
        step, state = checkpoints.newest(), State()
        return step, state, checkpoints.load(step, state)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_what_is_saved_is_what_was_there_then(asynchronous, tmp_path):
    state = State(1.5)
    with Checkpoints(tmp_path, CheckpointConfig(asynchronous=asynchronous)) as checkpoints:
        checkpoints.save(7, state, {"guard": {"seen": [0.1, float("inf")]}})
        state.weights.zero_()
        state.steps.zero_()
    step, found, extra = loaded(tmp_path)
    assert step == 7
    assert torch.equal(found.weights, torch.full((300, 40), 1.5))
    assert found.steps == 1.5
    assert extra == {"guard": {"seen": [0.1, float("inf")]}}


def test_a_folder_without_checkpoints_has_none(tmp_path):
    with Checkpoints(tmp_path / "none", CheckpointConfig()) as checkpoints:
        assert checkpoints.newest() == 0


@pytest.mark.parametrize(
    ("keep", "names"), [(1, ["step-9"]), (2, ["step-6", "step-9"]), (9, ["step-3", "step-6", "step-9"])]
)
def test_the_last_stay(keep, names, tmp_path):
    assert saved(tmp_path, (3, 6, 9), keep=keep) == names


def test_where_a_run_was_stopped_is_gone_with_the_next_and_displaces_nothing(tmp_path):
    names = []
    with Checkpoints(tmp_path, CheckpointConfig()) as checkpoints:
        for step, stop in ((3, False), (6, False), (7, True), (8, True), (9, False)):
            checkpoints.save(step, State(), {}, stop=stop)
            assert checkpoints.newest() == step
            assert checkpoints.newest(stops=False) == step // 3 * 3
            names.append(sorted(path.name for path in tmp_path.iterdir()))
    assert names[2:] == [["step-6", "stop-7"], ["step-6", "stop-8"], ["step-6", "step-9"]]


def test_a_step_is_saved_once(tmp_path):
    saved(tmp_path, (3,))
    before = (tmp_path / "step-3/checkpoint.json").stat().st_mtime_ns
    saved(tmp_path, (3,))
    assert (tmp_path / "step-3/checkpoint.json").stat().st_mtime_ns == before


def test_while_one_is_written_no_more_lie_there_than_are_kept(tmp_path, monkeypatch):
    seen = []
    settle = Checkpoints._settle
    monkeypatch.setattr(
        Checkpoints, "_settle", lambda self, *rest: seen.append(len(list(tmp_path.glob("*")))) or settle(self, *rest)
    )
    saved(tmp_path, (3, 6, 9, 12), keep=2)
    assert seen == [1, 2, 2, 2]


def test_the_best_stays_until_a_better_one_comes(tmp_path):
    with Checkpoints(tmp_path, CheckpointConfig(keep=1)) as checkpoints:
        for step, score in enumerate((0.2, 0.5, 0.4, float("nan"), 0.5), start=1):
            assert checkpoints.best(step, score) == (step <= 2)
            checkpoints.save(step, State(), {})
        assert checkpoints.best_step == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "step-2", "step-5"]
    with Checkpoints(tmp_path, CheckpointConfig(keep=1)) as checkpoints:
        assert not checkpoints.best(6, 0.45)
        assert checkpoints.best(7, 0.6)
        checkpoints.save(7, State(), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "step-7"]


def test_a_best_that_was_not_saved_any_more_is_forgotten(tmp_path):
    with Checkpoints(tmp_path, CheckpointConfig()) as checkpoints:
        checkpoints.save(1, State(), {})
        assert checkpoints.best(2, 0.5)  # and killed before it was saved
    with Checkpoints(tmp_path, CheckpointConfig()) as checkpoints:
        assert checkpoints.newest() == 1
        assert checkpoints.best_step is None
        assert checkpoints.best(2, 0.5)


@pytest.mark.parametrize(("export", "after", "value"), [("last", 0, 9.0), ("best", 0, 2.0), ("best", 2, 9.0)])
def test_the_best_of_the_last_stage_is_taken_if_asked_for(export, after, value, tmp_path):
    state = State(9.0)
    with Checkpoints(tmp_path, CheckpointConfig(keep=1, export=export)) as checkpoints:
        checkpoints.take_best(state)
        for step, score in ((2, 0.5), (3, 0.4)):
            checkpoints.best(step, score)
            checkpoints.save(step, State(float(step)), {})
        checkpoints.take_best(state, after=after)
    assert (state.weights == value).all()


def test_a_best_that_cannot_be_read_leaves_the_last(tmp_path, caplog):
    state = State(9.0)
    with Checkpoints(tmp_path, CheckpointConfig(export="best")) as checkpoints:
        checkpoints.best(2, 0.5)
        checkpoints.save(2, State(), {})
        checkpoints.wait()
        spoil(tmp_path / "step-2/__0_0.distcp")
        checkpoints.take_best(state)
    assert (state.weights == 9).all()
    assert "__0_0.distcp is damaged; it is left out" in caplog.text


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def spoil(path):
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


def remove(path):
    path.unlink()


# A bit of the record may fall where it says nothing.
DAMAGES = [(name, damage) for name in ("__0_0.distcp", ".metadata") for damage in (cut, spoil, remove)]
DAMAGES += [("checkpoint.json", cut), ("checkpoint.json", remove)]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_from_a_damaged_checkpoint_it_falls_back_to_the_one_before(name, damage, tmp_path, caplog):
    saved(tmp_path, (3, 6))
    damage(tmp_path / "step-6" / name)
    step, state, extra = loaded(tmp_path)
    assert (step, extra) == (3, {"step": 3})
    assert (state.weights == 3).all()
    assert f"step-6: {name} is " in caplog.text
    assert not (tmp_path / "step-6").exists()


def test_if_none_can_be_read_the_run_does_not_begin_again_in_silence(tmp_path):
    saved(tmp_path, (3, 6))
    for path in tmp_path.glob("step-*"):
        (path / "checkpoint.json").unlink()  # as older versions left them
    with pytest.raises(DataError, match="remove the folder to begin the run again"):
        loaded(tmp_path)


def test_what_a_killed_process_left_half_written_is_no_checkpoint(tmp_path):
    saved(tmp_path, (3,))
    shutil.copytree(tmp_path / "step-3", tmp_path / ".new")
    (tmp_path / ".new/checkpoint.json").unlink()
    assert loaded(tmp_path)[0] == 3
    assert saved(tmp_path, (6,)) == ["step-3", "step-6"]


@pytest.fixture
def full_disk():
    """Let this process write no file of more than 4 KiB: what the kernel then says comes as from a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_full_disk_is_one_error_and_the_checkpoint_before_stays(asynchronous, full_disk, tmp_path):
    saved(tmp_path, (3,))
    full_disk()
    with pytest.raises(WorkspaceError, match=r"step-6 cannot be written, with \S+ GB left .*make room"):
        saved(tmp_path, (6,), asynchronous=asynchronous)
    assert [path.name for path in tmp_path.iterdir()] == ["step-3"]
    assert loaded(tmp_path)[0] == 3


@pytest.mark.parametrize(("keep_after", "names"), [("none", None), ("last", ["step-6"]), ("all", ["step-3", "step-6"])])
def test_after_the_export_what_was_asked_for_stays(keep_after, names, tmp_path):
    folder = tmp_path / "checkpoints"
    with Checkpoints(folder, CheckpointConfig(keep_after=keep_after)) as checkpoints:
        for step in (3, 6):
            checkpoints.save(step, State(), {})
        checkpoints.finish()
    assert (sorted(path.name for path in folder.iterdir()) if folder.exists() else None) == names


def test_a_record_names_every_file(tmp_path):
    saved(tmp_path, (3,))
    record = json.loads((tmp_path / "step-3/checkpoint.json").read_text())
    assert {*record["files"]} == {path.name for path in (tmp_path / "step-3").iterdir()} - {"checkpoint.json"}
