"""The views that the page draws, of every record there is."""

import pytest


@pytest.mark.parametrize("kind", ["problems", "traces"])
def test_every_record_has_its_view(rest, kind):
    ids = [row["id"] for row in rest.get(f"/v1/{kind}?limit=1000").json()["rows"]]
    assert len(ids) > 30
    for one in ids:
        found = rest.get(f"/v1/views/{kind}/{one}")
        assert found.status_code == 200, found.text
