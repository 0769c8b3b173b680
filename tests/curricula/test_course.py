import numpy as np
import pytest

from gradus.curricula import manifest as m
from gradus.curricula.course import courses
from gradus.curricula.find import find_manifest
from gradus.curricula.report import difficulty_rows, mixture


@pytest.fixture(scope="module")
def path(finished):
    return find_manifest(finished.workspace, "latest")


def test_the_parts_hold_all_tokens_of_every_entry(path):
    manifest = m.read(path)
    for stage, course in zip(manifest.stages, courses(path, manifest), strict=True):
        assert course["upto"][-1] == course["num_sequences"] == stage.num_sequences
        assert {name: sum(tokens) for name, tokens in course["tokens"].items()} == {
            name: entry.num_tokens for name, entry in stage.entries.items()
        }
        np.testing.assert_allclose(sum(np.array(shares) for shares in course["scheduled"].values()), 1, atol=1e-5)


def test_difficulty_counts_every_trace_once(path):
    manifest = m.read(path)
    found = courses(path, manifest)
    for stage, course in zip(manifest.stages, found, strict=True):
        assert sum(row["traces"] for row in course["difficulty"]) == stage.num_traces
        assert sum(row["tokens"] for row in course["difficulty"]) == stage.num_tokens
    rows = difficulty_rows(found)
    bands = rows[0].keys() - {"stage", "domain"}
    assert sum(row[band] for row in rows for band in bands) == sum(stage.num_traces for stage in manifest.stages)


def test_the_mixture_is_said_by_entry(path):
    for stage in m.read(path).stages:
        assert mixture(stage).keys() == stage.entries.keys()
        assert sum(mixture(stage).values()) == pytest.approx(1)
