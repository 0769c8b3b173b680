"""Who was shown the answer must not say so; who found it may."""

import sys
import time
from pathlib import Path

import pytest

from gradus.engine.making.hints import mention

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from hint_sentences import CLEAN, HELD_OUT_CLEAN, HELD_OUT_LEAKING, LEAKING, lines

HINT = "The right answer is 56."
LONG = "Remember that every box holds eight pens and that there are seven of them."


@pytest.mark.parametrize("sentence", lines(CLEAN))
def test_a_clean_sentence_is_clean(sentence):
    assert mention(sentence) == ""


def test_nearly_all_leaks_are_found():
    found = [bool(mention(sentence)) for sentence in lines(LEAKING)]
    assert sum(found) / len(found) >= 0.98


def test_most_leaks_that_the_rules_were_not_made_for_are_found():
    """The figures of benchmarks/bench_hints.py; a change of the rules needs new held-out sentences."""
    found = sum(bool(mention(sentence)) for sentence in lines(HELD_OUT_LEAKING))
    alarms = sum(bool(mention(sentence)) for sentence in lines(HELD_OUT_CLEAN))
    assert (found / len(lines(HELD_OUT_LEAKING)), alarms) == (0.8, 0)


def test_the_words_that_speak_of_the_hint_are_returned():
    assert mention("We add. Since the right answer is 56, we are done.") == "the right answer"


def test_what_the_problem_speaks_of_is_no_mention():
    assert mention("The hint on the map points north.", prompt="A map bears a hint. Where does it point?") == ""
    assert mention("By the hint, n is odd.", prompt="Show it. Hint: take remainders.") == ""


def test_a_short_hint_may_be_the_conclusion_but_not_the_beginning():
    assert mention("7 * 8 = 56. The right answer is 56.", hint=HINT) == ""
    assert mention("The right answer is 56. That is 7 * 8.", hint=HINT) == "the right answer is 56"


def test_a_stretch_of_a_long_hint_is_a_copy():
    assert mention("Since every box holds eight pens and that is all.", hint=LONG) == "every box holds eight pens and"
    assert mention("There are eight pens in every box.", hint=LONG) == ""


def test_what_stands_in_the_problem_too_is_no_copy():
    assert mention("So every box holds eight pens and more.", hint=LONG, prompt=f"{LONG} How many?") == ""


@pytest.mark.parametrize(
    "word", ["the answer ", "answer", "the right answer, as ", "given that ", " ", "(", "the answer is "]
)
def test_reading_takes_time_in_proportion(word):
    start = time.monotonic()
    mention(word * (100_000 // len(word)), hint=LONG)
    assert time.monotonic() - start < 30  # in proportion to the square it would take hours
