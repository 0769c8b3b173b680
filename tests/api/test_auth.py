"""Who may do what: tokens, scopes, and how often."""

import json
import os
import stat
from datetime import timedelta

import pytest

from gradus.api.settings import Settings
from gradus.api.tokens import SCOPES, Tokens
from gradus.errors import ConfigError, WorkspaceError
from tests.api.guarded import client_of, token_of


def test_without_any_token_everybody_is_local_and_may_do_everything(workspace):
    client = client_of(workspace)
    for scope in SCOPES:
        assert client.post(f"/v1/{scope}").json() == {"actor": "local"}


@pytest.mark.parametrize("held", SCOPES)
def test_a_token_may_change_only_what_its_scope_says(workspace, held):
    headers, client = token_of(workspace, held), client_of(workspace)
    may = {scope for scope in SCOPES if client.post(f"/v1/{scope}", headers=headers).status_code == 200}
    assert may == (set(SCOPES) if held == "admin" else {held})


@pytest.mark.parametrize("held", SCOPES)
def test_reading_takes_the_scope_read(workspace, held):
    status = client_of(workspace).get("/v1/curate", headers=token_of(workspace, held)).status_code
    assert status == (200 if held in ("read", "admin") else 403)


def test_a_refusal_names_the_scope_that_is_missing(workspace):
    response = client_of(workspace).post("/v1/train", headers=token_of(workspace, "read", "query"))
    assert response.json()["detail"] == "the token ada may query, read; this needs train"


def test_once_a_token_is_made_a_running_server_demands_one(workspace):
    client = client_of(workspace)
    assert client.get("/v1/read").status_code == 200
    headers = token_of(workspace, "read")
    refused = client.get("/v1/read")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="gradus"'
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/read", headers=headers).json() == {"actor": "ada"}
    assert client.get("/public").status_code == 200


def test_a_server_that_others_reach_demands_a_token_even_if_the_file_is_lost(workspace):
    client = client_of(workspace, Settings(tokens_required=True))
    assert client.get("/v1/read").status_code == 401


def test_revoking_ends_a_token_at_once_and_the_last_does_not_open_the_door(workspace):
    headers, client = token_of(workspace, "read"), client_of(workspace)
    assert client.get("/v1/read", headers=headers).status_code == 200
    assert Tokens(workspace).revoke("ada").state == "revoked"
    assert client.get("/v1/read", headers=headers).status_code == 401
    assert client.get("/v1/read").status_code == 401


def test_an_expired_token_is_no_token(workspace):
    headers = token_of(workspace, "read", lifetime=timedelta(0))
    assert client_of(workspace).get("/v1/read", headers=headers).status_code == 401
    assert Tokens(workspace).all()[0].state == "expired"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.replace(text[7:19], "0" * 12),
        lambda text: text.upper(),
        lambda _: "",
        lambda _: "gradus_",
        lambda _: "x" * 5000,
        lambda text: text + "\u00e9",
    ],
)
def test_a_token_that_is_not_quite_right_is_refused_even_where_none_is_needed(workspace, spoil):
    text = token_of(workspace, "admin")["Authorization"].removeprefix("Bearer ")
    client = client_of(workspace)
    wrong = client.get("/public", headers={"Authorization": f"Bearer {spoil(text)}".encode("latin-1")})
    assert wrong.status_code == 401
    assert "invalid_token" in wrong.headers["www-authenticate"]


@pytest.mark.parametrize("where", ["query", "cookie", "basic", "twice"])
def test_a_token_counts_only_in_its_header(workspace, where):
    text = token_of(workspace, "admin")["Authorization"].removeprefix("Bearer ")
    client = client_of(workspace)
    asks = {
        "query": {"params": {"access_token": text, "token": text}},
        "cookie": {"cookies": {"Authorization": f"Bearer {text}", "token": text}},
        "basic": {"headers": {"Authorization": f"Basic {text}"}},
        "twice": {"headers": [("Authorization", f"Bearer {text}"), ("Authorization", f"Bearer {text}")]},
    }
    assert client.get("/v1/read", **asks[where]).status_code == 401


def test_the_file_holds_no_token_and_is_for_its_owner_alone(workspace):
    text = token_of(workspace, "read")["Authorization"].removeprefix("Bearer ")
    path = Tokens(workspace).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (text, text.split("_", 2)[2]):
        assert secret not in path.read_text()
    rows = json.loads(path.read_text())["tokens"]
    assert [len(row["hash"]) for row in rows] == [64]


def test_a_file_of_tokens_that_cannot_be_read_lets_nobody_in(workspace):
    token_of(workspace, "read")
    client = client_of(workspace)
    path = Tokens(workspace).path
    for text in ("", "{}", '{"tokens": [{"id": 1}]}', '{"tokens": 3}', "\x00"):
        path.write_text(text)
        os.utime(path, ns=(1, len(text)))
        response = client.get("/v1/read")
        assert response.status_code == 503
        assert "not a list of tokens" in response.json()["detail"]
    with pytest.raises(WorkspaceError, match="not a list of tokens"):
        Tokens(workspace).create("bob", ["read"], None)


def test_two_active_tokens_cannot_have_one_name(workspace):
    token_of(workspace, "read")
    with pytest.raises(ConfigError, match="an active token has it"):
        token_of(workspace, "admin")
    Tokens(workspace).revoke("ada")
    token_of(workspace, "admin")
    assert [token.state for token in Tokens(workspace).all()] == ["revoked", "active"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "a\n", "x" * 65, "-x"])
def test_a_token_needs_a_plain_name(workspace, name):
    with pytest.raises(ConfigError, match="letters, digits"):
        Tokens(workspace).create(name, ["read"], None)


def test_a_token_that_asks_too_often_waits_and_the_others_do_not(workspace):
    settings = Settings(requests_per_s=0.5, burst=3)
    client, ada, bob = (
        client_of(workspace, settings),
        token_of(workspace, "read"),
        token_of(workspace, "read", name="bob"),
    )
    assert [client.get("/v1/read", headers=ada).status_code for _ in range(4)] == [200, 200, 200, 429]
    late = client.get("/v1/read", headers=ada)
    assert late.headers["retry-after"] == "2"
    assert "ask again in 2 s" in late.json()["detail"]
    assert client.get("/v1/read", headers=bob).status_code == 200


def test_guessing_tokens_is_slowed_down_by_address(workspace):
    token_of(workspace, "read")
    client = client_of(workspace)
    answers = [client.get("/public", headers={"Authorization": f"Bearer gradus_{i}"}).status_code for i in range(150)]
    assert answers[:100] == [401] * 100
    assert 429 in answers[100:]
