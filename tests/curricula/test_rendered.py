"""Rendered rows come back from the disk as they went, in any order."""

import pytest

from gradus.curricula.rendered import RenderedRows


def test_rows_are_read_in_any_order_and_leave_no_file(tmp_path):
    rows = RenderedRows(tmp_path)
    places = [rows.add({"token_ids": (number, 70_000), "pass_rate": None}) for number in range(9)]
    assert [rows.read(places[n])["token_ids"] for n in (8, 0, 3)] == [(8, 70_000), (0, 70_000), (3, 70_000)]
    rows.close()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_no_row_is_kept():
    rows = RenderedRows(None)
    assert rows.add({"token_ids": (1,)}) == 0
    with pytest.raises(ValueError, match="were not kept"):
        rows.read(0)
    rows.close()
