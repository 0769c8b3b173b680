"""`gradus drift` and `GET /v1/difficulty/drift` say what changed between two checkpoints."""

import json
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.cli import main
from gradus.engine.records import Problem
from gradus.engine.store import open_store

BEFORE = [(0, 8), (8, 8), (4, 8), (1, 8), (4, 8), (0, 0)]
AFTER = [(7, 8), (1, 8), (4, 8), (2, 8), (0, 0), (4, 8)]


@pytest.fixture
def moved(workspace, tried):
    """Return a workspace of six problems that two checkpoints tried, four of them both."""
    domains = ["math", "math", "math", "code", "math", "code"]
    problems = [
        Problem(prompt=f"{domain} {i}", domain=domain, verifier="math", spec={"expected": "1"}, source="t")
        for i, domain in enumerate(domains)
    ]
    tried(problems, BEFORE, model="student@1")
    tried(problems, AFTER, model="student@2")
    with open_store(workspace):
        pass
    return workspace, [problem.id for problem in problems]


@pytest.fixture
def run(moved, capsys):
    """Return a function that runs the command and gives its status, output and errors."""

    def drift(*argv):
        capsys.readouterr()
        status = main(["drift", *argv, "--workspace", str(moved[0].root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return drift


def test_the_command_tells_what_changed_and_what_is_left_out(run, moved):
    status, out, _ = run("student@1", "student@2", "--json")
    assert status == 0
    data, ids = json.loads(out), moved[1]
    assert (data["in"], data["kept"]) == (6, 4)
    assert data["dropped"] == {"tried by student@1 alone": 1, "tried by student@2 alone": 1}
    assert [one["problem_id"] for one in data["improved"]] == [ids[0]]
    assert [one["problem_id"] for one in data["regressed"]] == [ids[1]]
    assert [(one["domain"], one["overall"]["problems"]) for one in data["domains"]] == [("code", 1), ("math", 3)]
    math = data["domains"][1]
    assert math["moves"] == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert math["overall"]["change"] == pytest.approx((7 / 8 - 7 / 8) / 3)
    assert 0 < math["improved_by_chance"] < 1


def test_people_read_the_same_in_tables(run, moved):
    _, out, _ = run("student@1", "student@2")
    assert out.startswith("student@1 -> student@2: 6 problems tried, 4 compared\n")
    for text in ("1 left out: tried by student@1 alone", "math: from", "by chance", "1 improved, each", "1 regressed"):
        assert text in out
    assert moved[1][0][:12] in out


def test_a_picture_is_drawn_as_png_or_svg(run, tmp_path):
    assert run("student@1", "student@2", "--plot", str(tmp_path / "a.png"))[0] == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert run("student@1", "student@2", "--plot", str(tmp_path / "a.svg"))[0] == 0
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    status, _, error = run("student@1", "student@2", "--plot", str(tmp_path / "a.gif"))
    assert (status, "ends in .png or .svg" in error) == (2, True)


def test_a_name_may_be_cut_short_where_only_one_begins_so(run):
    status, _, error = run("student@", "student@2")
    assert status == 3
    assert "student@1, student@2" in error
    assert run("student@1", "student@2")[0] == 0


def test_rest_says_what_the_command_says(run, moved):
    rest = TestClient(create_app(moved[0]))
    found = rest.get("/v1/difficulty/drift", params={"a": "student@1", "b": "student@2"})
    assert found.status_code == 200
    said = json.loads(run("student@1", "student@2", "--json")[1])
    assert found.json() == {name: said[name] for name in found.json()}
    assert set(found.json()) == set(said) - {"in", "kept", "dropped", "plot"}
    few = rest.get("/v1/difficulty/drift", params={"a": "student@1", "b": "student@2", "limit": 0}).json()
    assert (few["improved"], few["domains"]) == ([], found.json()["domains"])
    tag = found.headers["etag"]
    again = rest.get("/v1/difficulty/drift?a=student@1&b=student@2", headers={"If-None-Match": tag})
    assert again.status_code == 304


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("/", 404), ("student@", 404), ("", 422)])
def test_rest_refuses_a_checkpoint_that_is_not_known(moved, name, status):
    found = TestClient(create_app(moved[0])).get("/v1/difficulty/drift", params={"a": name, "b": "student@2"})
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
