import random
from collections import Counter

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula import manifest as manifests
from gradus.curricula.verify import verify
from gradus.errors import ConfigError, DataError
from gradus.trainer.problems import ProblemBatches, is_settled

PROBLEMS = [
    *(("math", "always", {}, f"a{n}") for n in range(7)),
    *(("code", "always", {"x": 1}, f"b{n}") for n in range(2)),
]


def batches(workspace, model, *, seed=0, problems=PROBLEMS, **section):
    path = tiny.make_manifest(workspace, model, rl=tiny.make_rl(workspace, problems, **section))
    return ProblemBatches(path, verify(path), seed=seed)


def ids(problems):
    return [problem.problem_id for problem in problems]


def test_every_batch_meets_its_quotas_exactly_and_holds_no_problem_twice(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 3, "code": 1})
    for step in range(1, 20):
        taken = ours.take(step)
        assert Counter(problem.domain for problem in taken) == {"math": 3, "code": 1}
        assert len(set(ids(taken))) == 4


@given(
    nums=st.fixed_dictionaries({name: st.integers(1, 9) for name in ("math", "code", "instruction")}),
    quotas=st.fixed_dictionaries({name: st.integers(1, 4) for name in ("math", "code", "instruction")}),
    num_reserve=st.integers(0, 3),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_minibatches_are_exact_over_steps_seeds_and_replacements(
    tmp_path_factory, model, nums, quotas, num_reserve, seed
):
    def some(num):
        return [(name, "always", {}, f"{name[0]}{n}") for name in nums for n in range(num(name))]

    made = {"problems": some(nums.get), "reserve": some(lambda _: num_reserve), "quotas": quotas}
    ours = batches(tmp_path_factory.mktemp("exact"), model, seed=seed, **made)
    wanted = {name: min(quota, nums[name]) for name, quota in quotas.items()}
    rng = random.Random(seed)
    for step in range(1, 15):
        taken = ours.take(step)
        assert Counter(problem.domain for problem in taken) == wanted
        assert len(set(ids(taken))) == len(taken)
        settled = rng.sample(taken, rng.randint(0, len(taken)))
        ours.replace_settled([(problem.problem_id, [1.0, 1.0]) for problem in settled])
        assert ours.num_reserve == 3 * num_reserve


def test_a_quota_is_capped_by_what_exists(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 3, "code": 5, "stem": 2})
    assert ours.quotas == {"math": 3, "code": 2, "stem": 0}
    assert len(ours.take(1)) == 5


def test_a_minibatch_that_is_smaller_than_the_quotas_is_said(tmp_path, model, caplog):
    batches(tmp_path, model, quotas={"math": 3, "code": 5})
    assert [record.getMessage() for record in caplog.records] == ["minibatches hold 2 of code, not 5: no more problems"]


RESERVE = [("math", "always", {}, "r0"), ("math", "always", {}, "r1"), ("code", "always", {}, "r2")]


def test_a_settled_problem_leaves_its_place_to_the_surest_of_its_domains_reserve(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 7, "code": 2}, reserve=RESERVE)
    before = ids(ours.take(1))
    assert not {"math-9", "math-10", "code-11"} & set(before)
    groups = [("math-3", [0.0, 0.0]), ("math-4", [0.0, 1.0]), ("math-5", [1.0, 1.0]), ("math-6", [1.0, 1.0])]
    assert ours.replace_settled(groups) == 2
    # The third found nobody waiting, and nobody took a place that had just left another.
    moved = {"math-3": "math-9", "math-5": "math-10"}
    assert ids(ours.take(1)) == [moved.get(name, name) for name in before]
    assert ours.num_reserve == 3


def test_what_was_replaced_comes_back_at_the_end_of_the_reserve(tmp_path, model):
    ours = batches(tmp_path, model, quotas={"math": 7}, reserve=RESERVE)
    for settled in ("math-0", "math-1", "math-2"):
        assert ours.replace_settled([(settled, [0.0, 0.0])]) == 1
    assert {"math-0", "math-9", "math-10"} < set(ids(ours.take(1)))
    assert not {"math-1", "math-2"} & set(ids(ours.take(1)))


def test_telling_the_same_groups_again_gives_the_same_problems(tmp_path, model):
    ours, resumed = (batches(tmp_path, model, quotas={"math": 3, "code": 1}, reserve=RESERVE) for _ in range(2))
    rng, told = random.Random(0), []
    for step in range(1, 30):
        told.append([(name, [rng.choice((0.0, 1.0))] * 2) for name in ids(ours.take(step)) if rng.random() < 0.5])
        ours.replace_settled(told[-1])
    for groups in told:
        resumed.replace_settled(groups)
    assert [ids(resumed.take(step)) for step in range(30, 50)] == [ids(ours.take(step)) for step in range(30, 50)]


@pytest.mark.parametrize(
    ("scores", "settled"),
    [
        ([1.0, 1.0, 1.0], True),
        ([0.0, 0.0], True),
        ([1.0, 0.0], False),
        ([0.5, 0.5, None], True),
        ([1.0, None, None], False),
        ([1.0, None], False),
        ([None, None], False),
    ],
)
def test_a_group_is_settled_if_most_were_judged_and_all_scored_the_same(scores, settled):
    assert is_settled(scores) == settled


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
