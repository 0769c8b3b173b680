"""SQL and saved queries over HTTP: formats by Accept, limits told in headers, one resource a saved query."""

import io
import json

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app

PUT = {
    "sql": "SELECT range AS n FROM range($most)",
    "description": "Numbers.",
    "parameters": [{"name": "most", "type": "integer", "required": False, "default": 5}],
}


@pytest.fixture
def client(spoilable):
    with TestClient(create_app(spoilable.workspace), raise_server_exceptions=False) as client:
        yield client


def test_accept_chooses_the_format(client):
    body = {"query": "SELECT 1 AS a, 'x' AS b"}

    def get(accept):
        response = client.post("/v1/sql", json=body, headers={"Accept": accept})
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(accept)
        return response

    assert get("application/json").json() == {"columns": ["a", "b"], "rows": [{"a": 1, "b": "x"}], "truncated": False}
    assert get("application/x-ndjson").text == '{"a":1,"b":"x"}\n'
    assert get("text/csv").text == "a,b\n1,x\n"
    assert pq.read_table(io.BytesIO(get("application/vnd.apache.parquet").content)).to_pylist() == [{"a": 1, "b": "x"}]
    assert get("application/vnd.apache.arrow.stream").content
    refused = client.post("/v1/sql", json=body, headers={"Accept": "text/html"})
    assert refused.status_code == 406
    assert "application/vnd.apache.parquet" in refused.json()["detail"]


def test_what_is_left_out_is_said(client):
    def ask(sql, accept, **limits):
        return client.post("/v1/sql", json={"query": sql} | limits, headers={"Accept": accept})

    csv = ask("FROM range(100)", "text/csv", max_rows=10)
    assert (csv.headers["gradus-rows"], csv.headers["gradus-truncated"]) == ("10", "rows")
    assert ask("FROM range(10)", "text/csv", max_rows=10).headers["gradus-truncated"] == "no"
    assert ask("FROM range(100)", "*/*", max_rows=10).json()["truncated"] is True
    *rows, last = ask("FROM range(100)", "application/x-ndjson", max_rows=10).text.splitlines()
    assert len(rows) == 10
    assert json.loads(last) == {"_end": {"truncated": "rows", "rows": 10}}


@pytest.mark.parametrize("limits", [{"max_rows": 0}, {"max_rows": 2_000_000}, {"timeout_s": 0}, {"timeout_s": 3600}])
def test_a_request_cannot_ask_for_more_than_the_limits(client, limits):
    assert client.post("/v1/sql", json={"query": "SELECT 1"} | limits).status_code == 422


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_query_that_fails_is_a_problem_in_every_format(client, accept):
    response = client.post("/v1/sql", json={"query": "SELECT nothing"}, headers={"Accept": accept})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "nothing" in response.json()["detail"]


def test_a_query_is_saved_read_run_and_deleted(client):
    put = client.put("/v1/queries/numbers", json=PUT)
    assert put.status_code == 200
    assert client.get("/v1/queries/numbers").json() == put.json()
    assert put.json()["parameters"][0] == PUT["parameters"][0] | {"description": ""}
    assert "numbers" in [query["name"] for query in client.get("/v1/queries").json()]
    assert len(client.post("/v1/queries/numbers/run", json={}).json()["rows"]) == 5
    csv = client.post("/v1/queries/numbers/run", json={"parameters": {"most": 2}}, headers={"Accept": "text/csv"})
    assert csv.text == "n\n0\n1\n"
    assert client.delete("/v1/queries/numbers").status_code == 204
    assert client.get("/v1/queries/numbers").status_code == 404


def test_every_query_that_comes_with_us_is_listed_and_runs(client):
    names = [query["name"] for query in client.get("/v1/queries").json() if query["shipped"]]
    assert len(names) >= 12
    for name in ("difficulty-histogram", "hardest-problems", "pass-rates", "teacher-fit", "unverified"):
        assert name in names
        assert client.post(f"/v1/queries/{name}/run", json={}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("get", "/v1/queries/none", None, 404, "no saved query 'none'"),
        ("delete", "/v1/queries/none", None, 404, "no saved query"),
        ("delete", "/v1/queries/funnel", None, 422, "comes with Gradus"),
        ("post", "/v1/queries/none/run", {}, 404, "no saved query"),
        ("post", "/v1/queries/funnel/run", {"parameters": {"x": 1}}, 422, "no parameter 'x'"),
        ("put", "/v1/queries/Upper", PUT, 422, "is no name"),
        ("put", "/v1/queries/x", PUT | {"sql": "DROP TABLE problems"}, 422, "only a SELECT"),
        ("put", "/v1/queries/x", PUT | {"parameters": []}, 422, "has the parameters ['most']"),
        ("put", "/v1/queries/x", PUT | {"extra": 1}, 422, "extra"),
        ("put", "/v1/queries/x", {"sql": ""}, 422, "sql"),
    ],
)
def test_what_cannot_be_is_a_problem(client, spoilable, method, path, body, status, words):
    response = client.request(method, path, json=body)
    assert response.status_code == status
    assert words in response.json()["detail"]
    assert not list(spoilable.workspace.root.glob("queries/*"))


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..%2ffunnel"])
def test_no_name_reaches_beyond_the_folder_of_queries(client, name):
    assert client.get(f"/v1/queries/{name}").status_code == 404
    assert client.put(f"/v1/queries/{name}", json=PUT).status_code in (404, 405, 422)


def test_openapi_shows_formats_headers_and_an_example(client):
    operation = client.get("/openapi.json").json()["paths"]["/v1/sql"]["post"]
    answer = operation["responses"]["200"]
    assert {"application/json", "text/csv", "application/vnd.apache.parquet"} <= answer["content"].keys()
    assert "Gradus-Truncated" in answer["headers"]
    assert "query" in client.get("/openapi.json").json()["components"]["schemas"]["SQLRequest"]["examples"][0]
