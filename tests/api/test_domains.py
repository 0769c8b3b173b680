"""All five domains go the whole way: generated, sampled, judged, scored, corrected, made into traces and a manifest.

A recording stands for the student: of each problem's three answers the first is right for every other problem, the
rest are wrong. Another one stands for the teacher, who corrects every failure.
"""

import ast
import json
from collections import Counter
from dataclasses import dataclass

import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula import manifest as m
from gradus.curricula.recipe import load_recipe
from gradus.curricula.verify import verify as verify_manifest
from gradus.engine.calls import written
from gradus.engine.records import DOMAINS, HELDOUT
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.verifiers.base import verify

NUM = {"arithmetic": 10, "functions": 8, "instructions": 4, "stem": 12, "tools": 16}
NUM_HELDOUT = 4
RECIPE = """
name = "five"
student = "{student}"
teacher = {{ kind = "recorded-student", model = "{folder}/student.jsonl", options = {{ student = "{student}" }} }}
sample = {{ num_attempts = 3 }}

[correct]
tries = 1
domains.default.ask = "Mend {{answer}} of {{prompt}}"

[[stages]]
name = "all"
context_length = 16384
token_budget = 10_000_000
mixture = {{ "*/cot" = 1.0, "*/correction" = 1.0 }}

[rl]
band = [0.1, 0.9]
quotas = {{ math = 1, code = 1, instruction = 1, stem = 1, tool = 1 }}
"""
GENERATE = '\n[[problems]]\ngenerator = "{}"\nnum = {}\nnum_heldout = {}\noptions = {}\n'


def code(tests):
    """Return a function that knows the results of its tests."""
    compared = [ast.parse(test).body[0].test for test in tests]
    name = compared[0].left.func.id
    known = [
        ([ast.literal_eval(arg) for arg in one.left.args], ast.literal_eval(one.comparators[0])) for one in compared
    ]
    return f"```python\ndef {name}(*given):\n    return next(r for k, r in {known!r} if k == list(given))\n```"


def right(problem):
    """Return an answer that passes."""
    spec = problem.spec
    if problem.domain == "math":
        return f"The answer is {spec['expected']}."
    if problem.domain == "code":
        return code(spec["tests"])
    if problem.domain == "instruction":
        return "The sea is wide and blue."
    if problem.domain == "stem":
        return f"So it is \\boxed{{{spec['expected']}}}."
    if problem.verifier == "tool_call":
        return "\n".join(map(written, spec["expected"]))
    asked = json.dumps(spec["parts"][1:])
    words = [found.split('"')[0] for found in asked.split('"keywords": ["')[1:]]
    return "Please tell me: " + " or ".join(words) + "?"


def wrong(problem, number):
    """Return an answer that fails, and could be read."""
    if problem.domain == "math":
        return f"The answer is {int(problem.spec['expected']) + 1 + number}."
    if problem.domain == "code":
        name = problem.spec["tests"][0].split("(")[0].removeprefix("assert ")
        return f"```python\ndef {name}(*_):\n    return 'wrong {number}'\n```"
    if problem.domain == "instruction":
        return "The sea" + ", wide" * (number + 1) + "."
    if problem.domain == "stem":
        others = [label for label in problem.spec["choices"] if label != problem.spec["expected"]]
        return f"So it is \\boxed{{{others[number]}}}."
    return written({"name": "no_such_tool", "arguments": {"number": number}})


@dataclass
class World:
    """A workspace that went the whole way, and what each step counted."""

    workspace: Workspace
    problems: list
    counts: dict
    path: object


def record(path, rows):
    path.write_text("".join(json.dumps({"ask": ask, "answers": answers}) + "\n" for ask, answers in rows))


@pytest.fixture(scope="module")
def world(student, tmp_path_factory):
    folder = tmp_path_factory.mktemp("five")
    recipe_path, workspace = folder / "five.toml", Workspace.create(folder / "workspace")
    options = {"instructions": '{ counts = [1], include = ["punctuation:no_comma"] }'}
    told = [GENERATE.format(name, num, NUM_HELDOUT, options.get(name, "{}")) for name, num in NUM.items()]
    recipe_path.write_text(RECIPE.format(student=student, folder=folder) + "".join(told))
    assert main(["problems", "generate", "--recipe", str(recipe_path), "--workspace", str(workspace.root)]) == 0
    with open_snapshot(workspace) as store:
        problems = store.problems("NOT list_contains(tags, $tag)", {"tag": HELDOUT})
    answers = {p.prompt: [right(p) if i % 2 else wrong(p, 0), wrong(p, 1), wrong(p, 2)] for i, p in enumerate(problems)}
    record(folder / "student.jsonl", answers.items())
    failed = ((f"Mend {wrong(p, n)} of {p.prompt}", [right(p) + "\n"]) for p in problems for n in range(3))
    record(folder / "teacher.jsonl", failed)
    recipe = load_recipe(str(recipe_path))
    correcting = load_recipe(str(recipe_path), ["teacher.kind=replay", f"teacher.model={folder}/teacher.jsonl"])
    counts = {
        "sample": steps.sample(workspace, recipe),
        "judge": steps.judge(workspace, workers=1),
        "score": steps.score(workspace),
        "correct": steps.correct(workspace, correcting, workers=1),
    }
    return World(workspace, problems, counts, steps.build(workspace, recipe))


def by_domain(world, query):
    with open_snapshot(world.workspace) as store:
        return {row["domain"]: row["n"] for row in store.rows(f"SELECT domain, count(*) AS n {query} GROUP BY domain")}


def test_every_domain_is_there(world):
    assert {p.domain for p in world.problems} == set(DOMAINS)
    assert len(world.problems) == sum(NUM.values())
    assert by_domain(world, "FROM problems") == {
        d: sum(p.domain == d for p in world.problems) + NUM_HELDOUT for d in DOMAINS
    }


def test_the_answers_are_right_and_wrong_as_told(world):
    for p in world.problems:
        assert verify(p.verifier, right(p), p.spec).outcome == "pass", p.prompt
        assert {verify(p.verifier, wrong(p, n), p.spec).outcome for n in range(3)} == {"fail"}, p.prompt


def test_attempts_verdicts_and_corrections_add_up(world):
    num, passed = len(world.problems), len(world.problems) // 2
    sampled, judged, corrected = (world.counts[step] for step in ("sample", "judge", "correct"))
    assert (sampled["attempts"], sampled["made"], sampled["left"], sampled["refused"]) == (3 * num, 3 * num, 0, 0)
    assert judged["judged"] == 3 * num
    assert judged["outcomes"] == {"pass": passed, "fail": 3 * num - passed}
    assert corrected["failures"] == corrected["made"] == num
    rates = {row["domain"]: row["pass_at_1"] for row in world.counts["score"]["pass_rates"]}
    found = by_domain(world, "FROM judged WHERE outcome = 'pass' AND failed_attempt_id IS NULL")
    for domain in DOMAINS:
        asked = 3 * sum(p.domain == domain for p in world.problems)
        assert rates[domain] == pytest.approx(found[domain] / asked)


def test_every_domain_has_traces_of_both_kinds_in_the_manifest(world):
    num, passed = len(world.problems), len(world.problems) // 2
    manifest = verify_manifest(world.path)
    (stage,) = manifest.stages
    rows = [row for shard in stage.shards for row in m.read_shard(world.path, shard).to_pylist()]
    assert Counter(row["kind"] for row in rows) == {"cot": passed, "correction": num}
    assert {(row["domain"], row["kind"]) for row in rows} == {(d, k) for d in DOMAINS for k in ("cot", "correction")}
    assert {row["problem_id"] for row in rows} == {p.id for p in world.problems}
    assert sum(manifest.dropped.values()) == 0
    assert all(any(row["loss_mask"]) for row in rows)


def test_reinforcement_learning_has_problems_of_every_domain(world):
    section = verify_manifest(world.path).rl
    domains = Counter(row["domain"] for row in m.read_shard(world.path, section.problems).to_pylist())
    assert set(domains) == set(DOMAINS)
    assert domains.total() == len(world.problems) // 2


def test_going_the_whole_way_again_does_nothing(world):
    recipe = load_recipe(str(world.workspace.root.parent / "five.toml"))
    assert steps.sample(world.workspace, recipe)["made"] == 0
    assert steps.judge(world.workspace, workers=1)["judged"] == 0
    assert steps.build(world.workspace, recipe) == world.path


def test_options_of_the_generators_can_be_given_on_the_command_line(workspace, capsys):
    argv = ["problems", "generate", "--workspace", str(workspace.root), "--json", "--num", "8"]
    options = [["stem", 'fields=["biology"]', "choices=5"], ["tools", 'kinds=["missing"]', "tools=2"]]
    for generator, *given in options:
        said = [word for option in given for word in ("--option", option)]
        assert main([*argv, "--generator", generator, *said]) == 0
        assert json.loads(capsys.readouterr().out) == {generator: {"in": 8, "kept": 8, "known": 0}}
    with open_snapshot(workspace) as store:
        tags = Counter(tag for p in store.problems() for tag in p.tags)
        assert {len(p.spec["choices"]) for p in store.problems("domain = 'stem'")} == {5}
    assert (tags["field:biology"], tags["kind:missing"]) == (8, 8)
