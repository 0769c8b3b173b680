"""The page's files, and the aggregates that it draws, without a browser."""

import json
import re
from collections import Counter

import polars as pl
import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.pages import ASSETS, PAGE
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import read, read_shard
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

SCRIPTS = sorted(name for name in ASSETS if name.endswith(".js"))
SOURCES = {path.name: path.read_text() for path in (PAGE, *ASSETS.values())}


@pytest.fixture(scope="module")
def workspace(page_folder):
    return Workspace.find(page_folder)


@pytest.fixture(scope="module")
def client(workspace):
    with TestClient(create_app(workspace), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def difficulty(workspace) -> pl.DataFrame:
    with open_snapshot(workspace) as store:
        return store.frame("FROM difficulty")


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_reads_text_as_html_or_as_code(name):
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"(on|style)"
    )
    assert not re.search(forbidden, SOURCES[name])


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_nothing_is_loaded_from_elsewhere(name):
    text = SOURCES[name].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|data:(image|text|font)", text)


def test_the_page_has_no_script_or_style_of_its_own():
    page = SOURCES["index.html"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", page)


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_script_imports_is_there(name):
    for names, file in re.findall(r'import \{([^}]*)\} from "\./([^"]+)"', SOURCES[name]):
        for one in names.split(","):
            assert re.search(rf"export (async )?(function|const) {one.strip()}\b", SOURCES[file]), f"{one} of {file}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_uses_what_it_imports(name):
    for names in re.findall(r"import \{([^}]*)\} from", SOURCES[name]):
        for one in names.split(","):
            assert len(re.findall(rf"\b{one.strip()}\b", SOURCES[name])) > 1, f"{name} imports {one.strip()} in vain"


def test_what_every_script_offers_is_used():
    for name in SCRIPTS:
        for one in re.findall(r"^export (?:async )?(?:function|const) (\w+)", SOURCES[name], re.MULTILINE):
            used = sum(len(re.findall(rf"\b{one}\b", text)) for text in SOURCES.values())
            assert used > 1, f"{one} of {name} is used nowhere"


@pytest.mark.parametrize(
    ("name", "kind"), [("main.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")]
)
def test_files_come_with_their_type_and_are_not_sent_twice(client, name, kind):
    first = client.get(f"/web/{name}")
    assert first.headers["content-type"].startswith(kind)
    again = client.get(f"/web/{name}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fpages.py", "../pages.py", "%2e%2e/pages.py", "/etc/passwd", "x%00.js", "report.html"]
)
def test_no_other_file_is_served(client, name):
    assert client.get(f"/web/{name}").status_code in (400, 404)


def test_the_histogram_counts_every_measured_problem(client, difficulty):
    rows = client.get("/v1/views/histogram").json()
    assert sum(row["problems"] for row in rows) == difficulty.height
    hardest = difficulty.filter(
        (pl.col("model_id") == "smol-135m") & (pl.col("domain") == "math") & (pl.col("pass_at_1") < 0.1)
    )
    found = [row for row in rows if (row["model_id"], row["domain"], row["tenth"]) == ("smol-135m", "math", 0)]
    assert found[0]["problems"] == hardest.height > 0


def test_the_funnel_adds_up(client):
    records = {row["step"]: row["records"] for row in client.get("/v1/views/funnel").json()}
    assert records["problems"] == 150
    assert records["attempts"] == sum(num for step, num in records.items() if step.startswith("verdict: "))


def test_rates_are_means_over_problems_inside_their_intervals(client, difficulty):
    rows = [row for row in client.get("/v1/views/rates").json() if row["stage"] == ""]
    assert len(rows) == 5 * 4
    for row in rows:
        its = difficulty.filter((pl.col("domain") == row["domain"]) & (pl.col("model_id") == row["model"]))
        assert row["n"] == its.height
        assert row["rate"] == pytest.approx(its["pass_at_1"].mean())
        assert row["low"] < row["rate"] < row["high"]


def test_rates_of_a_stage_are_of_its_problems_alone(client, workspace, difficulty):
    path = find_manifest(workspace, "latest")
    stage = read(path).stages[1]
    problems = set(read_shard(path, stage.shards[0])["problem_id"].to_pylist())
    rows = [row for row in client.get("/v1/views/rates").json() if row["stage"] == stage.name]
    its = difficulty.filter(pl.col("problem_id").is_in(problems))
    assert sum(row["n"] for row in rows) == its.height == 4 * len(problems)
    (math,) = [row for row in rows if (row["domain"], row["model"]) == ("math", "middle-1b")]
    mean = its.filter((pl.col("domain") == "math") & (pl.col("model_id") == "middle-1b"))["pass_at_1"].mean()
    assert math["rate"] == pytest.approx(mean)


def test_rates_name_the_stages_in_their_order(client):
    stages = list(dict.fromkeys(row["stage"] for row in client.get("/v1/views/rates").json()))
    assert stages == ["", "foundation", "correction", "rl"]


def test_lengths_and_fill_are_those_of_the_shards(client, workspace):
    path = find_manifest(workspace, "latest")
    for stage, row in zip(read(path).stages, client.get("/v1/views/lengths").json()["stages"], strict=True):
        lengths = read_shard(path, stage.shards[0])["num_tokens"].to_pylist()
        bins = len(row["lengths"])
        counts = Counter(-(-length * bins // stage.context_length) - 1 for length in lengths)
        assert row["lengths"] == [counts[i] for i in range(bins)]
        assert sum(row["fill"]) == stage.num_sequences
        assert row["waste"] == pytest.approx(1 - sum(lengths) / (stage.num_sequences * stage.context_length), abs=1e-6)
        assert (row["quantiles"]["p50"], row["quantiles"]["max"]) == (
            sorted(lengths)[(len(lengths) - 1) // 2],
            max(lengths),
        )


def test_answers_are_counted_by_length(client, workspace):
    rows = client.get("/v1/views/lengths").json()["answers"]
    with open_snapshot(workspace) as store:
        (known,) = store.rows("SELECT count(*) AS n FROM attempts WHERE tokens_out > 0")
    assert sum(row["answers"] for row in rows) == known["n"]


def test_another_manifest_has_other_stages(client, workspace):
    older = client.get("/v1/views/lengths", params={"manifest": oldest(workspace)}).json()
    assert [stage["name"] for stage in older["stages"]] == ["foundation"]


def oldest(workspace) -> str:
    return min(workspace.manifests.glob("*.json"), key=lambda path: path.stat().st_mtime).stem


def test_a_manifest_that_is_not_there_is_told(client):
    response = client.get("/v1/views/lengths", params={"manifest": "ffff"})
    assert response.status_code in (404, 422)
    assert "no manifest 'ffff'" in response.json()["detail"]


def test_the_fit_of_a_teacher_is_a_ratio_of_means(client, workspace):
    (row,) = [
        row
        for row in client.get("/v1/views/fit").json()
        if (row["student"], row["domain"], row["teacher"]) == ("smol-135m", "math", "teacher-8b")
    ]
    with open_snapshot(workspace) as store:
        fits = store.frame(
            "SELECT fits.* FROM fits JOIN traces ON id = trace_id "
            "WHERE model_id = 'smol-135m' AND domain = 'math' AND teacher = 'teacher-8b'"
        )
    assert row["rsr"] == pytest.approx(fits["rank"].mean() / fits["nll"].mean())
    assert row["rsr_low"] < row["rsr"] < row["rsr_high"]
    assert row["traces"] == fits.height


def a_correction(client) -> dict:
    return client.get("/v1/traces", params={"kind": "correction", "limit": 1}).json()["rows"][0]


def test_a_correction_comes_with_what_it_corrects(client):
    trace = a_correction(client)
    body = client.get(f"/v1/views/traces/{trace['id']}").json()
    assert body["failed"]["id"] == trace["failed_attempt_id"]
    assert (body["failed"]["outcome"], body["attempt"]["outcome"]) == ("fail", "pass")
    assert body["problem"]["id"] == trace["problem_id"]
    assert body["corrected"] == body["attempt"]["answer"] == trace["messages"][-1]["content"]


def test_a_problem_comes_with_its_attempts_and_verdicts(client):
    trace = a_correction(client)
    body = client.get(f"/v1/views/problems/{trace['problem_id']}").json()
    assert body["attempts"][0]["corrections"] == 1
    assert Counter(one["outcome"] is None for one in body["attempts"])[False] == len(body["attempts"]) == 25
    assert trace["id"] in [one["id"] for one in body["traces"]]


@pytest.mark.parametrize("path", ["problems/none", "traces/none"])
def test_what_is_not_there_is_404(client, path):
    response = client.get(f"/v1/views/{path}")
    assert response.status_code == 404
    assert json.loads(response.content)["status"] == 404


def test_the_tables_for_sql_are_those_that_sql_may_ask(client):
    for row in client.get("/v1/views/tables").json():
        body = {
            "query": f"SELECT {', '.join(json.dumps(one['name']) for one in row['columns'])} FROM {row['name']} LIMIT 0"
        }
        assert client.post("/v1/sql", json=body).status_code == 200, row["name"]
