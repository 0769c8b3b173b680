from collections import Counter

import pytest
import tiny

from gradus.curricula import manifest as manifests
from gradus.errors import ConfigError, DataError
from gradus.trainer.problems import ProblemBatches

PROBLEMS = [
    *(("math", "always", {}, f"a{n}") for n in range(7)),
    *(("code", "always", {"x": 1}, f"b{n}") for n in range(2)),
]


def batches(workspace, model, *, seed=0, **section):
    path = tiny.make_manifest(workspace, model, rl=tiny.make_rl(workspace, PROBLEMS, **section))
    return ProblemBatches(path, manifests.verify(path), seed=seed)


def ids(problems):
    return [problem.problem_id for problem in problems]


def test_every_batch_meets_its_quotas_exactly_and_holds_no_problem_twice(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 3, "code": 1})
    for step in range(1, 20):
        taken = ours.take(step)
        assert Counter(problem.domain for problem in taken) == {"math": 3, "code": 1}
        assert len(set(ids(taken))) == 4


def test_a_quota_is_capped_by_what_exists(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 3, "code": 5, "stem": 2})
    assert ours.quotas == {"math": 3, "code": 2, "stem": 0}
    assert len(ours.take(1)) == 5


def test_a_step_takes_the_same_problems_again_and_another_seed_others(tmp_path, model):
    ours, other = (batches(tmp_path, model, quotas={"math": 3}, seed=seed) for seed in (0, 1))
    steps = range(1, 9)
    assert [ids(ours.take(step)) for step in steps] == [ids(ours.take(step)) for step in steps]
    assert [ids(ours.take(step)) for step in steps] != [ids(other.take(step)) for step in steps]


def test_a_pass_takes_a_problem_at_most_once(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 3})
    assert not set(ids(ours.take(1))) & set(ids(ours.take(2)))
    seen = Counter(name for step in range(1, 101) for name in ids(ours.take(step)))
    assert min(seen.values()) > 25


def test_sampling_is_the_manifests_with_log_probabilities(tmp_path, model):
    settings = {"temperature": 0.7, "max_tokens": 9, "logprobs": False}
    ours = batches(tmp_path, model, quotas={"code": 1}, sampling={"code": settings})
    sampling = ours.take(1)[0].sampling
    assert (sampling.temperature, sampling.max_tokens, sampling.logprobs) == (0.7, 9, True)


def test_greedy_sampling_is_refused(tmp_path, model):
    with pytest.raises(ConfigError, match="greedy"):
        batches(tmp_path, model, quotas={"code": 1}, sampling={"code": {"temperature": 0.0}})


def test_no_rl_section_and_no_problem_are_errors(tmp_path, model):
    with pytest.raises(DataError, match="quotas"):
        batches(tmp_path, model, quotas={"stem": 1})
    path = tiny.make_manifest(tmp_path, model)
    with pytest.raises(DataError, match="no RL section"):
        ProblemBatches(path, manifests.read(path), seed=0)
