"""What Prometheus reads."""

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from gradus.api.app import create_app
from gradus.api.jobs.job import new_job, submit
from gradus.engine.store import open_store
from tests.api.guarded import token_of


def scrape(client, **headers):
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def requests(found):
    return {key: value for key, value in found.items() if key[0] == "gradus_requests_total"}


def test_requests_are_counted_by_route_and_status_and_clients_make_no_series_up(workspace):
    client = TestClient(create_app(workspace))
    for name in ("a", "b", "c"):
        client.get(f"/v1/runs/{name}")
        client.get(f"/nowhere/{name}")
        client.request("BREW", f"/nowhere/{name}")
    found = requests(scrape(client))
    routes = {dict(key[1:])["route"]: value for key, value in found.items() if dict(key[1:])["method"] == "GET"}
    assert routes == {"/v1/runs/{name}": 3, "none": 3}
    assert sum(found.values()) == 9


def test_how_long_answers_took_is_a_histogram(workspace):
    client = TestClient(create_app(workspace))
    for _ in range(5):
        client.get("/healthz")
    found = scrape(client)
    assert found["gradus_request_seconds_count", ("route", "/healthz")] == 5
    assert found["gradus_request_seconds_bucket", ("le", "60.0"), ("route", "/healthz")] == 5


def test_the_store_and_the_process_are_measured(finished):
    found = scrape(TestClient(create_app(finished.workspace)))
    assert found["gradus_store_rows", ("table", "problems")] == 40
    assert found["gradus_store_rows", ("table", "attempts")] == 188
    assert 0 <= found["gradus_snapshot_age_seconds",] < 3600
    assert found["process_open_fds",] > 3


def test_rows_are_counted_anew_when_there_is_a_new_snapshot(workspace):
    client = TestClient(create_app(workspace))
    assert ("gradus_snapshot_age_seconds",) not in scrape(client)
    with open_store(workspace):
        pass
    assert scrape(client)["gradus_store_rows", ("table", "problems")] == 0


def test_jobs_are_counted_by_state(workspace):
    for _ in range(3):
        submitted = submit(new_job(workspace), "export", {}, argv=["export"], writes=False, actor="ada")
    submitted.cancel("ada")
    found = scrape(TestClient(create_app(workspace)))
    assert found["gradus_jobs", ("state", "queued")] == 2
    assert found["gradus_jobs", ("state", "cancelled")] == 1


def test_scraping_takes_a_token_and_health_does_not(workspace):
    headers = token_of(workspace, "read")
    client = TestClient(create_app(workspace))
    assert client.get("/metrics").status_code == 401
    assert scrape(client, **headers)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_server_whose_snapshot_is_gone_is_not_ready(finished, tmp_path):
    import shutil

    from gradus.engine.workspace import Workspace

    shutil.copytree(finished.workspace.root, tmp_path / "copy", symlinks=True)
    client = TestClient(create_app(Workspace(tmp_path / "copy")))
    assert client.get("/readyz").status_code == 200
    (tmp_path / "copy/snapshots/current.duckdb").resolve().write_bytes(b"garbage")
    refused = client.get("/readyz")
    assert refused.status_code == 503
    assert "cannot be read" in refused.json()["detail"]
