"""What the store says of the student and of an earlier checkpoint, problem by problem."""

import duckdb
import numpy as np
import pytest

from gradus.curricula.standing import COUNTS, Checkpoint, find_checkpoint, standing
from gradus.engine.models import model_id
from gradus.engine.store import Store
from gradus.errors import DataError

IDS = np.array(["a", "b", "c", "", "zzz"], "S64")


@pytest.fixture
def store():
    made = Store(duckdb.connect(":memory:"))
    made.migrate()
    return made


def attempted(store, problem, num_passed, num_attempts, *, model="new", sampler="s", version="", corrects=None):
    """Add a problem's attempts; the first ones pass."""
    new = "FROM (VALUES ($id, 'p', 'math', 'math', '{}', 's', [], [])) AS new(id)"
    store.rows(f"INSERT INTO problems {new} WHERE NOT EXISTS (FROM problems WHERE id = new.id)", {"id": problem})
    for index in range(num_attempts):
        name = f"{problem}/{model}/{version}/{sampler}/{corrects}/{index}"
        store.rows(
            """INSERT INTO attempts SELECT
               $id, $problem, $model, $version, $sampler, $index, 0, '{}', '[]', '', [], [], 0, 0, 0, 'stop', $of""",
            {"id": name, "problem": problem, "model": model, "version": version, "sampler": sampler, "index": index}
            | {"of": corrects},
        )
        outcome = "pass" if index < num_passed else "fail"
        store.rows(
            "INSERT INTO verdicts VALUES ($id, 'math', '1', $outcome, 0, '', 0)", {"id": name, "outcome": outcome}
        )
    store.refresh_difficulty()


def found(store, student="new", earlier=None):
    """Return (attempts, passed, earlier attempts, earlier passed) of each of IDS."""
    columns = standing(store, Checkpoint(student), earlier).of(IDS)
    return list(zip(*(columns[name].tolist() for name in COUNTS), strict=True))


def test_counts_of_the_student_stand_by_problem_and_the_unknown_are_zero(store):
    attempted(store, "b", 1, 4)
    attempted(store, "zzz", 2, 2)
    attempted(store, "a", 3, 3, model="another")
    assert found(store) == [(0, 0, 0, 0), (4, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (2, 2, 0, 0)]


def test_a_store_without_attempts_has_zeros(store):
    assert found(store) == [(0, 0, 0, 0)] * len(IDS)


def test_attempts_of_all_ways_count_for_the_student_and_corrections_for_nobody(store):
    attempted(store, "a", 1, 2, sampler="s")
    attempted(store, "a", 3, 4, sampler="t")
    attempted(store, "a", 5, 5, sampler="s", corrects="other")
    assert found(store)[0] == (6, 4, 0, 0)


def test_the_earlier_checkpoint_counts_only_in_ways_in_which_the_student_tried_the_problem(store):
    attempted(store, "a", 1, 4, sampler="s")
    attempted(store, "a", 4, 4, model="old", sampler="s")
    attempted(store, "a", 2, 2, model="old", sampler="shots")
    attempted(store, "b", 2, 2, model="old", sampler="s")
    assert found(store, earlier=Checkpoint("old"))[:2] == [(4, 1, 4, 4), (0, 0, 0, 0)]


def test_a_policy_of_a_run_is_told_from_its_later_versions(store):
    attempted(store, "a", 0, 4, model="run", version="step-0")
    attempted(store, "a", 4, 4, model="run", version="step-20")
    last = standing(store, Checkpoint("run", "step-20"), Checkpoint("run", "step-0")).of(IDS)
    assert [int(last[name][0]) for name in COUNTS] == [4, 4, 4, 0]


def test_a_checkpoint_is_named_by_its_id_by_run_and_step_or_by_its_folder(store, student):
    attempted(store, "a", 0, 1, model="m@1")
    attempted(store, "a", 0, 1, model="run", version="step-20")
    assert find_checkpoint(store, "m@1") == Checkpoint("m@1")
    assert find_checkpoint(store, "run/step-20") == Checkpoint("run", "step-20")
    assert find_checkpoint(store, str(student)) == Checkpoint(model_id(student))


def test_an_unknown_checkpoint_lists_the_known_ones(store):
    with pytest.raises(DataError, match=r"no checkpoint 'x': .* none yet; `gradus eval` measures one"):
        find_checkpoint(store, "x")
    attempted(store, "a", 0, 1, model="run", version="step-20")
    attempted(store, "a", 0, 1, model="m@1")
    with pytest.raises(
        DataError, match="no checkpoint 'run/step-3': neither a model's folder nor one of m@1, run/step-20"
    ):
        find_checkpoint(store, "run/step-3")
