"""`gradus decontaminate` finds a benchmark in problems and traces, shows where, and takes it back."""

import json

import pytest

from gradus.api.cli import main
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, Message, Problem, Trace
from gradus.engine.store import open_snapshot

LEAK = "A ferry carries 60 cars on each trip. It makes 5 trips a day. How many cars does it carry in 4 days?"
OTHER = "A tank holds 900 litres of water, and every hour 15 litres leak out. How much is left after 7 hours?"


def problem(prompt, expected, *tags):
    return Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": expected}, source="t", tags=tags)


def trace(of, answer):
    said = (Message(role="user", content=of.prompt), Message(role="assistant", content=answer))
    return Trace(kind="cot", domain="math", messages=said, learn=(False, True), problem_id=of.id, attempt_id=answer)


@pytest.fixture
def filled(workspace):
    """Return the workspace with a leak as a problem, another problem, and a leak in the second trace of that."""
    leak, other = problem(LEAK.replace("60", "sixty").upper(), "1200"), problem(OTHER, "795")
    write_part(workspace.parts, "r", [leak, other, problem(LEAK, "1200", HELDOUT)])
    write_part(workspace.parts, "r", [trace(other, "900 - 105 = 795"), trace(other, f"Once I read: {LEAK}\nSo 795.")])
    return workspace


@pytest.fixture
def gradus(filled, capsys):
    def run(*argv):
        status = main([*argv, "--workspace", str(filled.root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def benchmark(path):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"question": LEAK, "answer": "#### 1200", "id": "ferry-1"}) + "\n")
    return path


@pytest.mark.parametrize("by", ["file", "name", "heldout"])
def test_leaks_in_problems_and_traces_are_dropped(gradus, filled, tmp_path, by):
    against = {"file": str(tmp_path / "own.jsonl"), "name": "own", "heldout": "heldout"}[by]
    benchmark(tmp_path / "own.jsonl" if by == "file" else filled.root / "benchmarks" / "own.jsonl")
    status, out, _ = gradus("decontaminate", "--against", against, "--json")
    assert status == 0
    assert json.loads(out) == {
        "in": 5,
        "kept": 3,
        "dropped": {"overlap and same answer": 1, "overlap with numbers": 1},
    }
    with open_snapshot(filled) as store:
        reasons = sorted(row["reason"] for row in store.rows("SELECT reason FROM dropped"))
    name = "heldout/" if by == "heldout" else "own/ferry-1: "
    assert all(name in reason and "a ferry carries 60 cars on each trip" in reason for reason in reasons)


def test_each_benchmark_has_a_run_of_its_own_and_undo_takes_back_one(gradus, filled):
    benchmark(filled.root / "benchmarks" / "one.jsonl")
    benchmark(filled.root / "benchmarks" / "two.jsonl").write_text(json.dumps({"prompt": OTHER}) + "\n")
    gradus("decontaminate", "--against", "one")
    counts = json.loads(gradus("decontaminate", "--against", "two", "--json")[1])
    assert counts == {"in": 3, "kept": 1, "dropped": {"overlap with numbers": 2}}
    assert gradus("decontaminate", "--against", "one", "--undo")[1] == "2 records restored\n"
    with open_snapshot(filled) as store:
        assert {row["step"] for row in store.rows("SELECT step FROM dropped")} == {"decontaminate two"}


def test_running_again_changes_nothing(gradus, filled):
    benchmark(filled.root / "benchmarks" / "own.jsonl")
    first = gradus("decontaminate", "--against", "own", "--json")[1]
    parts = sorted(filled.parts.rglob("*.parquet"))
    assert gradus("decontaminate", "--against", "own", "--json")[1] == first
    assert sorted(filled.parts.rglob("*.parquet")) == parts


def test_an_unknown_benchmark_is_named_with_those_that_are_known(gradus, filled):
    benchmark(filled.root / "benchmarks" / "own.jsonl")
    status, out, err = gradus("decontaminate", "--against", "aime")
    assert (status, out) == (2, "")
    assert "no benchmark 'aime'" in err
    assert "There now: own, heldout." in err


def test_the_data_card_tells_clean_from_never_looked_at(gradus, filled, tmp_path):
    def decontamination(folder):
        assert gradus("export", "--to", str(tmp_path / folder))[0] == 0
        return (tmp_path / folder / "README.md").read_text().partition("## Decontamination")[2].partition("\n## ")[0]

    assert gradus("score")[0] == 0  # opens the workspace
    assert "never looked for" in decontamination("before")
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"question": "How many bees fit into nine hives of three sizes each?"}) + "\n")
    assert gradus("decontaminate", "--against", str(other))[0] == 0
    assert "| decontaminate other | 5 | nothing found | 0 |" in decontamination("clean")
