"""Curation over HTTP: by ids and by filter, with reasons; manifests that follow, and what differs between them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.cli import main
from gradus.curricula.find import find_manifest
from gradus.engine.labels import Filter, matching
from gradus.engine.store import open_snapshot


@pytest.fixture
def client(spoilable):
    return TestClient(create_app(spoilable.workspace), raise_server_exceptions=False)


def post(client, **body):
    return client.post("/v1/labels", json={"reason": "seen"} | body)


def chosen(world, kind="problem", **conditions):
    return matching(world.workspace, kind, Filter(**conditions))


def test_a_label_is_noted_with_who_and_why_and_changes_the_state(client, spoilable):
    one, other = chosen(spoilable, max_rate=0)[:2]
    answer = post(client, ids=[one, other[:8]], action="exclude", reason="unclear")
    assert answer.status_code == 201
    assert answer.json() == {"in": 2, "kept": 2, "dropped": {}, "visible": True}
    assert post(client, ids=[one], action="weight", value=0.5).json()["kept"] == 1
    assert post(client, ids=[one], action="label", value="hard").json()["kept"] == 1
    state = client.get(f"/v1/labels/{one}").json()
    assert (state["excluded"], state["weight"], state["labels"]) == (True, 0.5, ["hard"])
    assert [(row["action"], row["actor"], row["reason"]) for row in state["history"]] == [
        ("exclude", "local", "unclear"),
        ("weight", "local", "seen"),
        ("label", "local", "seen"),
    ]
    rows = client.get("/v1/labels", params={"action": "exclude"}).json()["rows"]
    assert {row["record_id"] for row in rows} == {one, other}
    post(client, ids=[one], action="restore")
    assert client.get(f"/v1/labels/{one}").json()["excluded"] is False


def test_labels_are_paged_in_the_order_in_which_they_came(client, spoilable):
    ids = chosen(spoilable, domain="math")[:5]
    for one in ids:
        post(client, ids=[one], action="exclude")
    first = client.get("/v1/labels", params={"limit": 3}).json()
    rest = client.get("/v1/labels", params={"limit": 3, "cursor": first["next"]}).json()
    assert [row["record_id"] for row in first["rows"] + rest["rows"]] == ids
    assert rest["next"] is None


def test_a_filter_reaches_all_that_meet_it(client, spoilable):
    body = {"filter": {"kind": "problem", "max_rate": 0}, "action": "exclude"}
    assert post(client, **body).json()["kept"] == 8
    assert post(client, **body).json() == {"in": 8, "kept": 0, "dropped": {"as it was already": 8}, "visible": True}


def test_the_same_request_with_a_key_is_done_once(client, spoilable):
    one = chosen(spoilable, max_rate=0)[0]
    body = {"ids": [one], "action": "label", "value": "x", "reason": "seen"}
    for _ in range(2):
        assert client.post("/v1/labels", json=body, headers={"Idempotency-Key": "k"}).json()["kept"] == 1
    with open_snapshot(spoilable.workspace) as store:
        assert len(store.rows("FROM labels")) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "exclude"}, "one of ids and filter"),
        ({"ids": ["ffffff"], "action": "exclude"}, "nothing was changed"),
        ({"ids": [], "action": "exclude"}, "ids"),
        ({"ids": ["'; DROP"], "action": "exclude"}, "ids"),
        ({"ids": ["ffffff"], "action": "delete"}, "action"),
        ({"filter": {"kind": "problem"}, "action": "exclude"}, "without conditions"),
        ({"filter": {"domain": "math"}, "action": "weight", "value": 1000}, "from 0 to 100"),
        ({"filter": {"domain": "math"}, "action": "label"}, "the label's name"),
        ({"filter": {"domain": "math", "where": "1=1"}, "action": "exclude"}, "where"),
        ({"filter": {"domain": "math"}, "action": "exclude", "reason": ""}, "reason"),
        ({"filter": {"domain": "math"}, "action": "exclude", "reason": "  "}, "reason"),
        ({"filter": {"domain": "math"}, "action": "exclude", "actor": "somebody else"}, "actor"),
    ],
)
def test_what_makes_no_sense_changes_nothing(client, spoilable, body, words):
    answer = post(client, **body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    with open_snapshot(spoilable.workspace) as store:
        assert store.rows("FROM labels") == []


def test_an_id_of_the_other_kind_is_refused(client, spoilable):
    one = chosen(spoilable, max_rate=0)[0]
    assert post(client, ids=[one], kind="trace", action="exclude").status_code == 422
    assert post(client, ids=[one], kind="problem", action="exclude").status_code == 201


def test_two_manifests_are_compared_at_the_command_line_and_over_http(client, spoilable, capsys):
    words = ["--workspace", str(spoilable.workspace.root)]
    recipe = ["--recipe", str(spoilable.recipe_path)]
    assert main(["curriculum", "build", *recipe, *words]) == 0
    before = find_manifest(spoilable.workspace, "latest").stem
    capsys.readouterr()
    assert main(["curate", "exclude", "--domain", "math", "--min-rate", "1", "--reason", "too easy", *words]) == 0
    assert "8 of 8 records changed" in capsys.readouterr().out
    assert main(["curriculum", "build", *recipe, *words]) == 0
    after = find_manifest(spoilable.workspace, "latest").stem
    capsys.readouterr()
    assert main(["curriculum", "diff", before[:10], after[:10], *words]) == 0
    text = capsys.readouterr().out
    assert ": too easy." in text
    assert "its problem was excluded by" in text
    found = client.get(f"/v1/manifests/{before}/diff/{after[:10]}").json()
    assert "\n".join(found["text"]) == text.strip()
    assert {change["change"] for change in found["changes"] if "too easy" in change["reason"]} == {"removed"}
    assert client.get(f"/v1/manifests/{before}/diff/ffff").status_code == 404


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["exclude", "--reason", "x"], 2),
        (["exclude", "ffffffff", "--reason", "x"], 3),
        (["exclude", "ffffffff", "--domain", "math", "--reason", "x"], 2),
        (["weight", "ffffffff", "--value", "many", "--reason", "x"], 2),
    ],
)
def test_the_command_refuses_what_makes_no_sense(spoilable, words, status):
    assert main(["curate", *words, "--workspace", str(spoilable.workspace.root)]) == status


def test_a_command_line_of_two_manifests_needs_both(spoilable):
    assert main(["curriculum", "diff", "latest", "--workspace", str(spoilable.workspace.root)]) == 2


def test_no_label_is_lost_when_many_are_said_at_once(client, spoilable):
    ids = chosen(spoilable, domain="math")[:24]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda one: post(client, ids=[one], action="label", value="seen"), ids))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json()["visible"] for answer in answers)
    with open_snapshot(spoilable.workspace) as store:
        assert {row["record_id"] for row in store.rows("FROM labels")} == set(ids)
