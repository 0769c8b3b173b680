"""Browsers: what they are told, and what pages of other sites cannot do."""

import pytest

from gradus.api.settings import Settings
from tests.api.guarded import client_of, token_of

OURS = Settings(hosts=("gradus.example",))


@pytest.mark.parametrize("path", ["/public", "/v1/nowhere", "/boom", "/v1/read"])
def test_every_answer_is_secured_errors_too(workspace, path):
    headers = client_of(workspace).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "192.168.1.7", "gradus.example:443", "GRADUS.EXAMPLE"],
)
def test_a_known_host_is_served(workspace, host):
    assert client_of(workspace, OURS).get("/public", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "gradus.example.evil.example",
        "",
        "[::1].evil",
        "127.1.evil",
    ],
)
def test_a_host_that_somebody_else_points_at_us_is_not(workspace, host):
    response = client_of(workspace, OURS).get("/public", headers={"Host": host})
    assert response.status_code == 421
    assert "--allow-host" in response.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(workspace, headers):
    client = client_of(workspace, OURS, base_url="http://localhost:8000")
    assert client.post("/v1/curate", headers=headers).status_code == 403
    assert client.get("/v1/curate", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost:8000"}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_page_and_programs_do(workspace, headers):
    client = client_of(workspace, OURS, base_url="http://localhost:8000")
    assert client.post("/v1/curate", headers=headers).status_code == 200


def test_a_form_of_another_site_is_no_json(workspace):
    client = client_of(workspace)
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = {"Content-Type": media_type} if media_type else {}
        response = client.post("/v1/things/a", content=b'{"name": "x"}', headers=headers)
        assert response.status_code == 415, media_type


def test_cors_is_off(workspace):
    client = client_of(workspace)
    asked = {"Origin": "https://notes.example", "Access-Control-Request-Method": "POST"}
    assert not [name for name in client.options("/v1/curate", headers=asked).headers if name.startswith("access-")]
    assert "access-control-allow-origin" not in client.get("/public", headers=asked).headers


def test_an_origin_on_the_list_may_ask_with_its_token_and_others_may_not(workspace):
    client = client_of(workspace, Settings(origins=("https://notes.example",)))
    bearer = token_of(workspace, "curate")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = client.options("/v1/curate", headers=asked | {"Origin": "https://notes.example"})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://notes.example"
    assert "access-control-allow-credentials" not in preflight.headers
    done = client.post("/v1/curate", headers=bearer | {"Origin": "https://notes.example"})
    assert done.status_code == 200
    assert done.headers["access-control-allow-origin"] == "https://notes.example"
    assert client.post("/v1/curate", headers=bearer | {"Origin": "https://evil.example"}).status_code == 403
    refused = client.options("/v1/curate", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
