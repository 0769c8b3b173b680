"""`gradus verify`: JSONL to JSONL, in order, whole or not at all; one answer; and what a kill leaves behind."""

import fcntl
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from gradus.api.cli import main
from gradus.verifiers import base


def row(number, said, **changes):
    return {"id": f"r{number}", "verifier": "math", "answer": said, "spec": {"expected": str(number)}} | changes


@pytest.fixture
def verify(tmp_path, capsys):
    """Return a function that writes lines, verifies them, and gives status, outcomes (None: no file) and errors."""

    def run(lines, *options):
        source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        if isinstance(lines, bytes):
            source.write_bytes(lines)
        elif lines is not None:
            text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
            source.write_text(text, encoding="utf-8")
        status = main(["verify", "--input", str(source), "--output", str(target), "--workers", "1", *options])
        assert status != 0 or not list(tmp_path.glob(".*"))
        found = [json.loads(line) for line in target.read_text().splitlines()] if target.exists() else None
        return status, found, capsys.readouterr()

    return run


@pytest.mark.parametrize("workers", [1, 2])
def test_outcomes_are_in_the_order_of_the_answers(verify, workers):
    lines = [row(n, f"The answer is {n + (n % 3 == 0)}") for n in range(100)]
    status, found, captured = verify(lines, "--workers", str(workers), "--json")
    assert status == 0
    assert [one["id"] for one in found] == [f"r{n}" for n in range(100)]
    assert [one["outcome"] for one in found] == ["fail" if n % 3 == 0 else "pass" for n in range(100)]
    assert json.loads(captured.out) == {"in": 100, "outcomes": {"fail": 34, "pass": 66}}


def test_a_line_has_outcome_score_reason_and_seconds(verify):
    _, (found,), _ = verify([row(7, "The answer is 8")])
    assert found.pop("seconds") >= 0
    assert found.pop("reason").startswith("got 8, expected 7")
    assert found == {"id": "r7", "outcome": "fail", "score": 0.0}


def test_no_lines_give_an_empty_file(verify):
    status, found, captured = verify([])
    assert (status, found) == (0, [])
    assert captured.out.startswith("no lines")


def test_empty_lines_are_skipped(verify):
    assert len(verify([row(1, "1"), "", row(2, "2")])[1]) == 2


GOOD = [row(1, "1"), row(2, "2")]
BAD = [
    ('{"id": ', "line 3: "),
    ("[]", "line 3: a JSON object is needed"),
    (row(3, "3", verifier="nope"), "line 3: no verifier 'nope'. Known: all_of, any_of"),
    (row(3, "3", spec={}), "line 3: verifier 'math': missing a required"),
    (row(3, "3", spec={"expected": ""}), "line 3: math: expected must be"),
    (row(3, "3", spec={"expected": "3", "hint": 1}), "line 3: verifier 'math': got an unexpected"),
    (row(3, "3", spec=[]), "line 3: 'spec' must be an object"),
    (row(3, None), "line 3: 'answer' must be text"),
    ({"id": "r", "verifier": "math", "spec": {"expected": "1"}}, "line 3: 'answer' must be text"),
    (row(3, "3", id=3), "line 3: 'id' must be text"),
]


@pytest.mark.parametrize(("bad", "words"), BAD)
def test_a_bad_third_line_is_named_and_nothing_is_written(verify, bad, words):
    status, found, captured = verify([*GOOD, bad, *GOOD])
    assert (status, found, captured.out) == (3, None, "")
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        row(3, "3", verifier="code", spec={"tests": ["assert f()"], "timeout_s": "5"}),
        row(3, "3", verifier="code", spec={"stdin_tests": [1]}),
        row(3, "3", verifier="instruction", spec={"instructions": 5}),
        "[" * 100_000,
    ],
)
def test_a_spec_of_the_wrong_type_is_named_too(verify, bad):
    try:
        status, _, captured = verify([*GOOD, bad])
    except (TypeError, RecursionError) as error:
        pytest.fail(f"a traceback: {error!r:.80}")
    assert status == 3
    assert "line 3" in captured.err


def test_bytes_that_are_no_text_are_named(verify):
    status, _, captured = verify(json.dumps(GOOD[0]).encode() + b"\n\xff\xfe\n")
    assert status == 3
    assert "in.jsonl" in captured.err


def test_half_a_surrogate_pair_is_an_answer_like_any(verify):
    status, found, _ = verify(
        ['{"id": "a", "verifier": "math", "answer": "\\\\boxed{\\ud800}", "spec": {"expected": "1"}}']
    )
    assert status == 0
    assert found[0]["outcome"] in ("fail", "unparseable")


def test_a_missing_input_is_one_line(verify):
    status, found, captured = verify(None)
    assert (status, found) == (3, None)
    assert captured.err.endswith("in.jsonl: No such file or directory\n")
    assert len(captured.err.splitlines()) == 1


def test_an_output_that_was_there_survives_a_bad_input(verify, tmp_path):
    verify(GOOD)
    before = (tmp_path / "out.jsonl").read_bytes()
    assert verify([*GOOD, "{"])[0] == 3
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_the_input_is_not_overwritten(verify, tmp_path):
    status, _, captured = verify(GOOD, "--output", str(tmp_path / "in.jsonl"))
    assert status == 3
    assert "is the input too" in captured.err
    assert len((tmp_path / "in.jsonl").read_text().splitlines()) == 2


def test_an_output_that_cannot_be_written_is_one_line(verify, tmp_path):
    status, _, captured = verify(GOOD, "--output", str(tmp_path / "none" / "out.jsonl"))
    assert status == 4
    assert len(captured.err.splitlines()) == 1


def test_a_bad_first_line_leaves_nothing_behind(verify, tmp_path):
    assert verify(["{", *GOOD])[0] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_line_that_was_mended_is_gone_on_from(verify, tmp_path):
    assert verify([*GOOD, "", "{", *GOOD])[2].err.endswith(
        "line 4: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
    )
    kept = (tmp_path / ".out.jsonl.part").read_bytes()
    _, found, captured = verify([*GOOD, "", row(3, "4"), *GOOD], "--json")
    assert [one["id"] for one in found] == ["r1", "r2", "r3", "r1", "r2"]
    assert (tmp_path / "out.jsonl").read_bytes().startswith(kept)
    assert json.loads(captured.out) == {"in": 5, "outcomes": {"fail": 1, "pass": 4}}


@pytest.mark.parametrize("changed", [[row(1, "5"), row(2, "2")], [row(1, "1")], []])
def test_verdicts_on_other_lines_are_not_gone_on_from(verify, tmp_path, changed):
    verify([*GOOD, "{"])
    status, found, captured = verify([*changed, row(9, "9")])
    assert (status, found) == (3, None)
    assert ".out.jsonl.part: begun on other lines" in captured.err
    (tmp_path / ".out.jsonl.part").unlink()
    status, found, _ = verify([*changed, row(9, "9")])
    assert (status, found[-1]["id"]) == (0, "r9")


def test_other_options_do_not_go_on_either(verify):
    verify([*GOOD, "{"])
    assert "with other options" in verify([*GOOD, row(3, "3")], "--explain")[2].err


def newer(monkeypatch, name):
    monkeypatch.setitem(base._verifiers, name, replace(base.find(name), version="then + 1"))


PARTS = {"parts": [{"verifier": "any_of", "spec": {"parts": [{"verifier": "math", "spec": {"expected": "1"}}]}}]}


@pytest.mark.parametrize("line", [row(1, "1"), row(1, "1", verifier="all_of", spec=PARTS)])
def test_verdicts_of_another_version_are_not_gone_on_from(verify, monkeypatch, tmp_path, line):
    verify([line, "{"])
    now = base.find("math").version
    newer(monkeypatch, "math")
    status, found, captured = verify([line, row(2, "2")])
    assert (status, found) == (3, None)
    assert f".out.jsonl.part: begun by math of version {now}, which is version then + 1 now; remove it" in captured.err
    (tmp_path / ".out.jsonl.part").unlink()
    assert verify([line, row(2, "2")])[0] == 0


def test_another_version_of_a_verifier_that_had_no_say_does_not_matter(verify, monkeypatch):
    verify([*GOOD, "{"])
    newer(monkeypatch, "choice")
    assert verify([*GOOD, row(3, "3")])[0] == 0


def test_two_at_once_are_refused(verify, tmp_path):
    with (tmp_path / ".out.jsonl.part").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status, found, captured = verify(GOOD)
    assert (status, found) == (4, None)
    assert "another process is writing it" in captured.err


def test_steps_are_added_to_every_line_when_asked(verify):
    _, found, _ = verify([row(1, "1", verifier="choice", spec={"expected": "B"})], "--explain")
    assert isinstance(found[0]["steps"], list)


def test_standard_input_and_output_serve_too(tmp_path):
    text = "".join(json.dumps(one) + "\n" for one in GOOD)
    command = [sys.executable, "-m", "gradus", "verify", "--input", "-", "--output", "-", "--workers", "1"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=tmp_path)
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["pass", "pass"]
    assert done.stderr == "2 pass\n"
    assert list(tmp_path.iterdir()) == []


def single(*options):
    return ["verify", "--verifier", "choice", "--spec", '{"expected": "B", "choices": ["x", "y"]}', *options]


def test_one_answer_is_judged_without_files(capsys):
    assert main(single("--answer", "the second one is right")) == 0
    assert capsys.readouterr().out.startswith("pass: named B, expected B (score 1, ")


def test_the_steps_to_one_verdict_are_shown(capsys):
    assert main(single("--answer", "A is wrong. So B.", "--explain")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["  1  it says A is wrong", "  2  it says B is right"]
    assert lines[2].startswith("pass: ")


def test_one_answer_is_printed_for_machines(capsys):
    assert main(single("--answer", "A", "--json", "--explain")) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["score"], found["steps"]) == ("fail", 0.0, ["the last line names A"])


@pytest.mark.parametrize(
    "options", [["--verifier", "choice"], ["--input", "x"], ["--verifier", "choice", "--answer", "B", "--input", "x"]]
)
def test_half_a_request_shows_the_usage(options, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["verify", *options])
    assert stopped.value.code == 2
    assert "give --input and --output, or --verifier, --answer and --spec" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--verifier", "choice", "--answer", "B", "--spec", "{"], 2, "--spec is not JSON"),
        (["--verifier", "choice", "--answer", "B", "--spec", "[]"], 3, "'spec' must be an object"),
        (["--verifier", "choice", "--answer", "B"], 3, "missing a required argument: 'expected'"),
        (["--input", "x", "--output", "-", "--json"], 2, "name a file"),
        (["--input", "x", "--output", "y", "--timeout-s", "0"], 2, "must be above 0"),
    ],
)
def test_options_that_make_no_sense_are_one_line(options, status, words, capsys):
    assert main(["verify", *options]) == status
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
