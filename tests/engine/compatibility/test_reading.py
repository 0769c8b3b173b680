"""Traces are cut into turns, steps and passages, and their scores are summed up."""

import itertools

import numpy as np
import pytest

from gradus.curricula.reader import Reader
from gradus.engine.compatibility.reading import (
    RANK_LIMIT,
    Passage,
    Reading,
    TokenScores,
    collect,
    split_turns,
    step_starts,
    to_passages,
)
from gradus.errors import DataError

ASK = {"role": "user", "content": "What is the sum?"}


def steps_of(text):
    starts = [*step_starts(text), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(starts)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("One and one. That is two.", ["One and one.", " That is two."]),
        ("x = 3.5 and y is 2.\nSo x + y = 5.5", ["x = 3.5 and y is 2.\n", "So x + y = 5.5"]),
        ("1. First we add.\n2. Then we stop.", ["1. First we add.\n", "2. Then we stop."]),
        ("So. It is done now.", ["So. It is done now."]),
        ("```python\ndef f(x):\n    return x\n```", ["```python\ndef f(x):\n", "    return x\n", "```"]),
        ("Is it two? Yes it is!\n\n\nIt is two.", ["Is it two?", " Yes it is!\n\n\n", "It is two."]),
        ("", [""]),
        ("two words\n", ["two words\n"]),
    ],
)
def test_a_step_is_a_sentence_or_a_line_of_two_words(text, steps):
    assert steps_of(text) == steps


def test_nothing_of_a_text_is_lost_between_steps():
    text = "1. a b.\n\n- c d! e f? g.\n```\nx = 1\n```\n e.g. h i."
    assert "".join(steps_of(text)) == text


def test_every_learned_run_of_tokens_is_a_turn():
    text = "ask ab cd. ef gh. ask ij kl"
    starts = [0, 3, 6, 9, 10, 13, 16, 17, 21, 24]
    learned = [False, True, True, True, True, True, True, False, True, True]
    turns = split_turns(text, starts, learned)
    assert turns == ((1, 4, 7), (8, 10))


@pytest.fixture(scope="module")
def reader(student):
    return Reader(student)


def test_a_reading_covers_what_is_learned_and_no_more(reader):
    messages = [ASK, {"role": "assistant", "content": "It is one and two. That is three."}]
    reading = reader.read(messages, [False, True])
    token_ids, learned = reader.trace(messages, [False, True])
    assert reading.token_ids == token_ids
    assert reading.num_tokens == sum(learned)
    assert reading.num_steps == 2
    assert reading.opening == tuple(reader.prompt([ASK]))[-len(reading.opening) :]
    assert len(reading.opening) > 1


def test_a_conversation_in_which_nothing_is_learned_is_refused(reader):
    with pytest.raises(DataError, match="nothing"):
        reader.read([ASK], [False])


def numbered(num_steps, width=2):
    """Return a reading of a prompt of three tokens and steps of `width` tokens, then a token that nobody learns."""
    end = 3 + num_steps * width
    return Reading(token_ids=tuple(range(end + 1)), turns=(tuple(range(3, end + 1, width)),), opening=(90, 91))


def test_the_whole_ends_with_the_last_learned_token():
    assert to_passages(numbered(2), window=4) == [Passage(tuple(range(7)), 3)]


def test_a_step_far_from_its_problem_sees_only_its_window():
    passages = to_passages(numbered(4), window=2)
    assert passages[1:] == [Passage((90, 91, 3, 4, 5, 6, 7, 8), 6), Passage((90, 91, 5, 6, 7, 8, 9, 10), 6)]


def test_each_turn_begins_its_own_window():
    reading = Reading(token_ids=tuple(range(12)), turns=((2, 4, 6), (8, 10, 12)), opening=(90,))
    assert to_passages(reading, window=1)[1:] == [Passage((90, 2, 3, 4, 5), 3), Passage((90, 8, 9, 10, 11), 3)]


def scores(logprobs, ranks=None):
    return TokenScores(np.array(logprobs, dtype=np.float32), np.array(ranks or [1] * len(logprobs)))


def test_scores_of_a_short_trace_are_local_already():
    found = collect(numbered(2), [scores([-1, -3, -2, -4], [1, 2, 3, RANK_LIMIT + 50])], window=4)
    assert found.nll == found.local_nll == 2.5
    assert found.rank == (1 + 2 + 3 + RANK_LIMIT) / 4


def test_later_steps_are_judged_by_their_own_passage():
    whole = scores([-1, -1, -2, -2, -9, -9])
    found = collect(numbered(3), [whole, scores([-3, -5])], window=2)
    assert found.nll == 4
    assert found.local_nll == pytest.approx((1 + 2 + 4) / 3)


def test_tokens_between_turns_do_not_count():
    reading = Reading(token_ids=tuple(range(8)), turns=((2, 4), (6, 8)), opening=(90,))
    found = collect(reading, [scores([-1, -1, -50, -50, -3, -3], [1, 1, 70, 70, 5, 5])], window=1)
    assert (found.nll, found.rank, found.local_nll) == (2, 3, 2)
