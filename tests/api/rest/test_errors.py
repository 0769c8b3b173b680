"""Errors have the one shape, HEAD is GET without a body, OPTIONS says what a path takes."""

import pytest


def fault(response, status):
    """Check that a response is a problem of RFC 9457; return its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body.keys() == {"type", "title", "status", "detail", "instance"}
    assert body["status"] == status
    assert body["instance"] == response.request.url.path
    return body["detail"]


@pytest.mark.parametrize(
    ("verb", "path", "status", "words"),
    [
        ("GET", "/v1/nowhere", 404, "no /v1/nowhere; /openapi.json lists what there is"),
        ("GET", "/v1/problems/ffff", 404, "no problem 'ffff'; GET /v1/problems lists them"),
        ("GET", "/v1/attempts/ffff", 404, "no attempt 'ffff'"),
        ("GET", "/v1/traces/ffff", 404, "no trace 'ffff'"),
        ("GET", "/v1/manifests/ffff", 404, "no manifest 'ffff'"),
        ("GET", "/v1/problems?domain=cooking", 422, "query.domain: Input should be 'math'"),
        ("GET", "/v1/difficulty?min_rate=2", 422, "query.min_rate"),
        ("GET", "/v1/sql", 405, "/v1/sql takes POST, OPTIONS, not GET"),
        ("POST", "/v1/problems", 405, "takes GET, HEAD, OPTIONS, not POST"),
        ("PATCH", "/v1/queries/mine", 405, "takes GET, HEAD, PUT, DELETE, OPTIONS, not PATCH"),
        ("TRACE", "/v1/problems", 405, "not TRACE"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(rest, verb, path, status, words):
    assert words in fault(rest.request(verb, path), status)


def test_a_405_lists_every_method_of_the_path(rest):
    response = rest.patch("/v1/queries/mine")
    assert response.headers["allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_that_is_not_json_is_415(rest, media):
    response = rest.post("/v1/sql", content="query=SELECT 1", headers={"Content-Type": media})
    assert "application/json" in fault(response, 415)


def test_a_body_that_is_not_even_json_inside_is_422(rest):
    response = rest.post("/v1/sql", content="{", headers={"Content-Type": "application/json"})
    assert "body" in fault(response, 422)


@pytest.mark.parametrize("path", ["/v1/problems?limit=3", "/v1/manifests/latest", "/healthz"])
def test_head_is_get_without_the_body(rest, path):
    whole, head = rest.get(path), rest.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers.get("etag") == whole.headers.get("etag")


def test_head_of_what_is_not_there_is_404(rest):
    assert rest.head("/v1/problems/ffff").status_code == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/problems", "GET, HEAD, OPTIONS"),
        ("/v1/sql", "POST, OPTIONS"),
        ("/v1/queries/a", "GET, HEAD, PUT, DELETE, OPTIONS"),
    ],
)
def test_options_lists_what_a_path_takes(rest, path, allowed):
    response = rest.options(path)
    assert (response.status_code, response.headers["allow"], response.content) == (204, allowed, b"")


def test_options_of_what_is_not_there_is_404(rest):
    fault(rest.options("/v1/nowhere"), 404)
