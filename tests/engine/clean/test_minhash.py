"""Signatures estimate the Jaccard similarity of the shingles they were made of."""

import numpy as np
import pytest

from gradus.engine.clean.minhash import bands, jaccard, shingle, signatures


def words(start, end):
    return [f"w{i}" for i in range(start, end)]


@pytest.mark.parametrize("shared", [0, 30, 100, 190, 200])
def test_equal_places_estimate_jaccard(shared):
    one, other = words(0, 200), words(200 - shared, 400 - shared)
    shingles = shingle([one, other], 1)
    true = jaccard(np.unique(shingles[0]), np.unique(shingles[1]))
    assert true == pytest.approx(shared / (400 - shared))
    found = signatures(shingles, 1024)
    # 1024 hashes: a standard deviation is at most 0.016.
    assert np.mean(found[0] == found[1]) == pytest.approx(true, abs=0.06)


def test_a_shingle_depends_on_order_and_ends_with_its_text():
    shingles = shingle([["a", "b", "c"], ["c", "b", "a"], ["a", "b", "d"], ["a", "b"]], 2)
    sets = [set(shingles[i].tolist()) for i in range(4)]
    assert [len(found) for found in sets] == [3, 3, 3, 2]
    assert len(sets[0] & sets[1]) == 0
    assert len(sets[0] & sets[2]) == 1
    assert len(sets[0] & sets[3]) == 1


def test_a_text_has_the_same_signature_in_any_batch():
    texts = [words(i, i + 40 * (i % 7)) for i in range(3000)]
    together = signatures(shingle(texts, 3), 16)
    alone = np.concatenate([signatures(shingle([text], 3), 16) for text in texts])
    assert np.array_equal(together, alone)


def test_no_texts_and_empty_texts_have_signatures():
    assert signatures(shingle([], 3), 8).shape == (0, 8)
    assert signatures(shingle([[], ["a"], []], 3), 8).shape == (3, 8)


def test_similar_signatures_share_a_band_and_others_do_not():
    texts = [words(0, 100), words(2, 102), words(500, 600)]
    keys = bands(signatures(shingle(texts, 2), 64), 16)
    assert set(keys[0].tolist()) & set(keys[1].tolist())
    assert not set(keys[0].tolist()) & set(keys[2].tolist())


def test_hashes_are_the_same_on_every_machine():
    assert shingle([["what", "is", "12"]], 2).hashes.tolist() == [
        18044726249967796009,
        12886822678561328353,
        3636053213571236952,
    ]
