"""A component belongs to the most specific pattern that fits it."""

import pytest

from gradus.curricula.mixture import best_fit, fits


@pytest.mark.parametrize(
    ("pattern", "component", "fit"),
    [
        ("math/cot", "math/cot/ada/hard", True),
        ("math", "math/cot/ada/hard", True),
        ("*", "math/cot/ada/hard", True),
        ("*/correction", "math/cot/ada/hard", False),
        ("math/*/*/hard", "math/cot/ada/hard", True),
        ("math/*/*/hard", "math/cot/hard/easy", False),
        ("*/*/gpt-*", "math/cot/gpt-5/easy", True),
        ("math/cot/org/model/*", "math/cot/org/model/easy", True),
        ("math/cot/*/easy", "math/cot/org/model/easy", True),
        ("*/imported", "math/imported", True),
        ("*/imported/corpus", "math/imported", True),
        ("code/imported/corpus", "math/imported", False),
        ("Math/cot", "math/cot/ada/hard", False),
    ],
)
def test_a_pattern_fits_part_by_part(pattern, component, fit):
    assert fits(pattern, component) is fit


@pytest.mark.parametrize(
    ("patterns", "best"),
    [
        (("*", "*/cot", "math/cot"), "math/cot"),
        (("math/cot", "*/cot", "*"), "math/cot"),
        (("*/cot", "math/*"), "math/*"),
        (("*/*/*/hard", "math"), "math"),
        (("math/cot", "math/*/ada"), "math/cot"),
        (("math/*/ada/*", "math/*/a*/*"), "math/*/ada/*"),
        (("code", "*/correction"), None),
    ],
)
def test_the_most_specific_pattern_counts_in_any_order(patterns, best):
    for order in (patterns, patterns[::-1]):
        assert best_fit("math/cot/ada/hard", order) == best
