"""Progress is told in lines where there is no terminal, also when nobody knows the end."""

import logging

import pytest

from gradus.api import progress


@pytest.mark.parametrize(("total", "line"), [(4, "  x 2/4, 0 s, 0 s left"), (None, "  x 2, 0 s")])
def test_a_line_says_how_far_it_is(caplog, monkeypatch, total, line):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO, logger="gradus"), progress.progress("x", total) as advance:
        advance(2)
    assert [record.getMessage() for record in caplog.records] == [line]


def test_without_a_known_end_there_is_no_line_for_every_step(caplog):
    with caplog.at_level(logging.INFO, logger="gradus"), progress.progress("x", None) as advance:
        for _ in range(100):
            advance(1)
    assert caplog.records == []
