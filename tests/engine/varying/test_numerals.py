"""Numbers of a text are lifted and drawn anew: of the same kind, in the same order, and nothing else is touched."""

import random

import pytest

from gradus.engine.varying.numerals import Numeral, numerals, redrawn, replaced


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tom has 15 apples, buys 4 more at $2.50 and pays with $100.", ["15", "4", "2.50", "100"]),
        ("A town of 1,200 people, 35% of them children.", ["1,200", "35"]),
        ("In 1987 and in 2019, at 9:30, 3/4 of 12 guests came.", ["12"]),
        ("The 3rd of 7 A4 sheets, x2 and x^2, 0 of 1.", ["7"]),
        ("Solve 3x = 7 and y = 12.", []),
        ("At 7 pm, 5-year-old twins, 20 marbles.", ["5", "20"]),
        ("What is 12 + 15?", ["12", "15"]),
        ("Version 1.2.3 of 2020-05-07, 192.168.0.1.", []),
        ("5 and 5 and 6", ["5", "6"]),
        ("How old are all 4 people and the other 3 in 12 years?", ["12"]),
    ],
)
def test_what_stands_alone_is_a_number_that_can_change(text, found):
    assert [numeral.text for numeral in numerals(text)] == found


@pytest.mark.parametrize("text", ["7", "15", "48", "100", "350", "2.50", "30.00", "0.75", "1,200", "12,345", "3.125"])
def test_a_drawn_number_is_of_the_same_kind(text):
    for seed in range(50):
        drawn = Numeral(text).drawn(random.Random(seed))
        assert drawn.kind[:2] == Numeral(text).kind[:2]
        assert drawn.kind[2] >= Numeral(text).kind[2]
        assert ("," in drawn.text) == ("," in text)
        assert drawn.value not in (0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_numbers_and_the_rest_of_the_text_stay(seed):
    text = "Ann had 48 eggs, sold 12, broke 12 and packed the rest 6 to a box, for $1.50 each."
    new = redrawn(text, random.Random(seed))
    old_values, values = ([n.value for n in numerals(t)] for t in (text, new))
    assert len(values) == 4
    assert sorted(range(4), key=old_values.__getitem__) == sorted(range(4), key=values.__getitem__)
    assert not set(old_values) & set(values) or all(a != b for a, b in zip(old_values, values, strict=True))
    back = {n.text: o.text for n, o in zip(numerals(new), numerals(text), strict=True)}
    assert replaced(new, back) == text


def test_many_small_numbers_are_redrawn_too():
    text = "There are 2 cows, 3 pigs and 6 goats; 5 more pigs and 8 goats come. How many animals are there?"
    assert all(redrawn(text, random.Random(seed)) for seed in range(20))


def test_equal_numbers_stay_equal():
    new = redrawn("5 bags of 5 nuts and 8 pears", random.Random(1))
    assert len(numerals(new)) == 2


def test_a_text_without_numbers_cannot_be_redrawn():
    assert redrawn("How many days has a week?", random.Random(0)) is None
