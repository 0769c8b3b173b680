"""What was paid is written down, and no budget is overspent."""

import json
from dataclasses import replace

import pytest

from gradus.api import steps
from gradus.curricula.recipe import load_recipe
from gradus.engine.spending import (
    FILE,
    Budget,
    Ledger,
    Price,
    Purse,
    Spent,
    cost,
    open_purse,
    read_ledger,
    share,
    spending,
)
from gradus.engine.store import open_snapshot
from gradus.engine.teachers.base import Completion, Refusal, Request, SamplingConfig, teachers
from gradus.errors import ConfigError

ANSWER = Completion(
    text="a",
    token_ids=(1, 2, 3),
    token_logprobs=(),
    prompt_token_ids=(1, 2),
    finish_reason="stop",
    seconds=0.5,
)
PRICE = Price(input=1.0, output=4.0)


def request(max_tokens=10, text="a" * 84):
    return Request(
        messages=({"role": "user", "content": text},), sampling=SamplingConfig(max_tokens=max_tokens), seed=0
    )


def test_a_price_is_per_million_tokens():
    assert PRICE.of(1_000_000, 500_000) == 3.0


def test_what_was_cached_costs_nothing():
    found = cost([ANSWER, ANSWER, replace(ANSWER, cached=True)], PRICE)
    assert found == Spent(answers=2, cached=1, tokens_in=4, tokens_out=6, seconds=1.0, money=28e-6)


def test_tokens_are_as_the_server_counts_them_where_there_are_no_ids():
    answer = replace(ANSWER, token_ids=(), prompt_token_ids=(), counted=(20, 30))
    assert (cost([answer], PRICE).tokens_in, cost([answer], PRICE).tokens_out) == (20, 30)


def test_a_ledger_counts_all_runs_of_one_command_with_one_model(tmp_path):
    path = tmp_path / FILE
    for run, model in (("sample", "m"), ("sample", "m"), ("correct", "m"), ("sample", "n")):
        ledger = Ledger(path, run=run, model_id=model)
        ledger.add(Spent(answers=2, tokens_out=5))
        ledger.write()
    assert Ledger(path, run="sample", model_id="m").total == Spent(answers=4, tokens_out=10)
    assert [(row["run"], row["model"], row["answers"]) for row in spending(path)] == [
        ("correct", "m", 2),
        ("sample", "m", 4),
        ("sample", "n", 2),
    ]


def test_ranks_write_ledgers_of_their_own_which_are_read_together(tmp_path):
    path = tmp_path / FILE
    for rank in (0, 1, 2, 1):
        ledger = Ledger(path, run="sample", model_id="m", rank=rank)
        ledger.add(Spent(answers=1, tokens_out=5))
        ledger.write()
        assert ledger.total.answers == 1  # of a rank, only what it spends now
    assert Ledger(path, run="sample", model_id="m").total == Spent(answers=4, tokens_out=20)
    assert spending(path)[0]["answers"] == 4


@pytest.mark.parametrize(
    ("budget", "spent", "want"),
    [
        (Budget(tokens=100), Spent(tokens_in=30, tokens_out=10), Budget(tokens=20)),
        (Budget(money=2.0), Spent(money=0.5), Budget(money=0.5)),
        (Budget(), Spent(tokens_in=30), Budget()),
        (Budget(tokens=100), Spent(tokens_in=300), Budget(tokens=1)),  # not 0, which would be no limit
    ],
)
def test_a_budget_is_shared_by_what_is_left_of_it(budget, spent, want):
    assert share(budget, spent, 3) == want


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_line_that_was_cut_off_is_passed_over(tmp_path, cut):
    path = tmp_path / FILE
    for _ in range(2):
        ledger = Ledger(path, run="sample", model_id="m")
        ledger.add(Spent(answers=1))
        ledger.write()
    lines = path.read_bytes().splitlines()
    path.write_bytes(lines[0] + b"\n" + lines[1][:cut])
    ledger = Ledger(path, run="sample", model_id="m")
    assert ledger.total == Spent(answers=1)
    ledger.add(Spent(answers=1))
    ledger.write()
    assert sum(spent.answers for _, spent in read_ledger(path)) == 2


def test_a_request_goes_out_only_if_it_can_be_paid_whatever_it_costs(tmp_path):
    purse = open_purse(tmp_path, "sample", "m", budget=Budget(tokens=250))
    assert [purse.hold(i, request()) for i in range(3)] == [True, True, False]  # 110 at most, each
    purse.settle([(0, ANSWER)])  # 5 in the end
    assert purse.hold(2, request())
    purse.settle([(1, Refusal("no", final=True)), (2, replace(ANSWER, cached=True))])
    assert purse.ledger.now.tokens == 5
    assert purse.limit == "250 tokens"


def test_money_is_held_back_like_tokens(tmp_path):
    purse = open_purse(tmp_path, "sample", "m", budget=Budget(money=300e-6), price=PRICE)
    assert [purse.hold(i, request()) for i in range(3)] == [True, True, False]  # 100 in, 10 out: 140e-6
    assert purse.limit == "0.0003 of money"


def test_a_budget_of_money_needs_a_price(tmp_path):
    with pytest.raises(ConfigError, match="needs a price"):
        Purse(Budget(money=1.0), Price(input=0.0, output=0.0), Ledger(tmp_path / FILE, run="r", model_id="m"))


def attempts(world):
    with open_snapshot(world.workspace) as store:
        return store.rows("SELECT * FROM attempts ORDER BY id")


def test_a_run_stops_at_its_budget_says_so_and_goes_on_with_a_larger_one(new_world, tmp_path, monkeypatch):
    monkeypatch.setattr(teachers["recorded-student"], "costly", True)
    worlds = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        worlds.append(new_world(tmp_path / name))
    steps.sample(worlds[0].workspace, worlds[0].recipe)

    world, spent = worlds[1], []
    for budget in (800, 800, 1200, 0):
        counts = steps.sample(world.workspace, load_recipe(str(world.recipe_path), [f"sample.budget.tokens={budget}"]))
        spent.append(counts["spent"]["tokens_in"] + counts["spent"]["tokens_out"])
        total = counts["spent_in_all"]
        if budget:
            assert 0 < total["tokens_in"] + total["tokens_out"] <= budget
            assert counts["stopped"] == f"{budget:,} tokens"
        assert counts["made"] + counts["skipped"] + counts["left"] == counts["attempts"] == 140
    assert spent[0] > 0 == spent[1]
    assert spent[2] > 0 < spent[3]
    assert attempts(world) == attempts(worlds[0])
    lines = [json.loads(line) for line in (world.workspace.root / FILE).read_text().splitlines()]
    assert sum(line["tokens_in"] + line["tokens_out"] for line in lines) == sum(spent)
    assert sum(line["answers"] for line in lines) == 140


def test_prices_come_from_the_recipe(world, monkeypatch):
    monkeypatch.setattr(teachers["recorded-student"], "costly", True)
    prices = f"prices={{{json.dumps(world.recipe.teacher.model)} = {{input = 1.0, output = 4.0}}}}"
    counts = steps.sample(world.workspace, load_recipe(str(world.recipe_path), [prices]))
    spent = counts["spent"]
    assert spent["money"] == pytest.approx((spent["tokens_in"] + 4 * spent["tokens_out"]) / 1e6)
    assert spent["money"] > 0
