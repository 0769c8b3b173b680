"""The distance of two styles is small for one author, large for two, and blind to the numbers."""

import random

import numpy as np
import pytest

from gradus.engine.compatibility.style import divergence, style_distance

PLAIN = ["the sum of {} and {} is {}", "we add {} to {} and get {}", "so {} plus {} makes {}", "now {} and {} give {}"]
ODD = ["OK!! {} ++ {} ==> {} :)", "**Step** -> {} || {} => {}!!", "Hmm... {}, {}?? Wait: {}!", "[[{}]] & [[{}]] ~~> {}"]


def write(shapes, num, seed, high=100):
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(shapes).format(*(rng.randrange(high) for _ in range(3))) for _ in range(5))
        for _ in range(num)
    ]


def test_an_author_is_no_farther_from_himself_than_the_floor():
    found = style_distance(write(PLAIN, 40, 0), write(PLAIN, 40, 1))
    assert found.low <= found.floor <= found.high or found.distance < found.floor
    assert found.distance == pytest.approx(found.floor, rel=0.25)


def test_another_author_is_far():
    found = style_distance(write(PLAIN, 40, 0), write(ODD, 40, 1))
    assert found.distance > 0.5
    assert found.low > 3 * found.floor


def test_half_of_another_author_lies_between():
    own, near, far = write(PLAIN, 40, 0), write(PLAIN, 20, 1) + write(ODD, 20, 2), write(ODD, 40, 3)
    half, whole = style_distance(own, near), style_distance(own, far)
    assert half.floor < half.distance < whole.distance


def test_numbers_are_no_style():
    own = ["it is 12 of 34"] * 8
    assert style_distance(own, ["it is 98 of 76"] * 8).distance == pytest.approx(0, abs=1e-12)


def test_few_texts_say_nothing():
    assert style_distance(["one"] * 3, ["two"] * 9) is None


def test_the_same_texts_give_the_same_numbers():
    own, other = write(PLAIN, 10, 0), write(ODD, 10, 1)
    assert style_distance(own, other) == style_distance(own, other)


def test_divergence_is_between_nothing_and_a_bit():
    a, b = np.array([1.0, 0.0, 3.0]), np.array([0.0, 5.0, 0.0])
    assert divergence(a, a * 7) == pytest.approx(0)
    assert divergence(a, b) == pytest.approx(1)
    # By hand: p = (1, 0), q = (1/2, 1/2).
    want = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)) - 0.5
    assert divergence(np.array([2.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(want)
