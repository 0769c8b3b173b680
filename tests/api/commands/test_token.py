"""`gradus token` and `gradus audit`."""

import json
import re

import pytest

from gradus.api.cli import main
from gradus.api.tokens import Tokens
from tests.api.guarded import client_of


@pytest.fixture
def gradus(workspace, capsys):
    """Run a command; return its exit status, what it found, and what it complained of."""

    def run(*arguments):
        status = main([*arguments, "--json", "--workspace", str(workspace.root)])
        said = capsys.readouterr()
        return status, json.loads(said.out) if said.out else None, said.err

    return run


def test_a_token_is_shown_once_and_works(workspace, gradus, capsys):
    main(["token", "create", "--name", "ada", "--scope", "read", "--workspace", str(workspace.root)])
    text = re.search(r"gradus_\S{56}", capsys.readouterr().out)[0]
    assert client_of(workspace).get("/v1/read", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    _, (row,), _ = gradus("token", "list")
    assert text not in json.dumps(row)
    assert (row["name"], row["scopes"], row["state"]) == ("ada", "read", "active")


def test_a_token_ends_after_90_days_unless_told_otherwise(workspace, gradus):
    _, made, _ = gradus("token", "create", "--name", "a", "--scope", "read")
    assert made["expires"] > made["created"]
    assert gradus("token", "create", "--name", "b", "--scope", "read", "--expires", "never")[1]["expires"] == "never"
    gradus("token", "create", "--name", "c", "--scope", "read", "--expires", "0h")
    assert [token.state for token in Tokens(workspace).all()] == ["active", "active", "expired"]


def test_scopes_are_kept_in_one_order_and_once(gradus):
    _, made, _ = gradus("token", "create", "--name", "a", "--scope", "train", "--scope", "read", "--scope", "train")
    assert made["scopes"] == "read train"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "--name", "a"], "at least one --scope"),
        (["create", "--scope", "read"], "needs --name"),
        (["revoke"], "needs the name or id"),
        (["revoke", "nobody"], "no active token 'nobody'; there are: none"),
    ],
)
def test_what_is_missing_is_named(gradus, arguments, words):
    status, _, said = gradus("token", *arguments)
    assert status == 2
    assert words in said


def test_the_audit_log_shows_changes_and_who_made_tokens(workspace, gradus):
    _, made, _ = gradus("token", "create", "--name", "ada", "--scope", "curate")
    bearer = {"Authorization": f"Bearer {made['token']}"}
    client_of(workspace).post("/v1/curate", headers=bearer)
    client_of(workspace).post("/v1/train", headers=bearer)
    gradus("token", "revoke", made["id"])
    _, rows, _ = gradus("audit")
    assert [row["path"].split()[:2] for row in rows] == [
        ["token", "create"],
        ["/v1/curate"],
        ["/v1/train"],
        ["token", "revoke"],
    ]
    assert [row["status"] for row in rows] == [0, 200, 403, 0]
    assert made["token"] not in json.dumps(rows)
    assert [row["path"] for row in gradus("audit", "--actor", "ada", "--limit", "1")[1]] == ["/v1/train"]
    assert len(gradus("audit", "--path", "/v1/", "--since", "1h")[1]) == 2
    assert gradus("audit", "--since", "0s")[1] == []
