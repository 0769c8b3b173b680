"""The 29 kinds that IF-RLVR trains on beside IFEval's: each followed and broken, and the quirks kept."""

import pytest

import gradus.verifiers.instruction  # noqa: F401 - registers the kinds
from gradus.verifiers.base import check_spec, explain, verify
from gradus.verifiers.instructions.registry import known

REQUEST = "Say hello to Ann."
PHRASE = {"phrase": "the early bird sings", "small_n": 2}
POSITION = {"keyword": "sea", "n": 2, "m": 3}

CASES = [
    (
        "copy:repeat_phrase",
        PHRASE,
        "the late bird sings\nthe early cat sings",
        "the early bird sings\nthe late bird sings",
    ),
    ("copy:copy", {"prompt_to_repeat": REQUEST}, "say hello to Ann. ", "Say hello to Ann. Hello!"),
    ("copy:copying_simple", {"prompt_to_repeat": REQUEST}, REQUEST, "Hello!"),
    ("copy:copying_multiple", {"prompt_to_repeat": REQUEST, "N": 2}, f"{REQUEST}\n******\n{REQUEST}", REQUEST),
    ("new:copy_span_idx", {"prompt_to_repeat": REQUEST, "n_start": 4, "n_end": 9}, "hello", "hello t"),
    ("detectable_format:sentence_hyphens", {}, "It is.-It was.", "It is.- It was."),
    ("detectable_format:square_brackets", {}, "[it] [is]", "[it] is"),
    ("detectable_format:bigram_wrapping", {}, "<<it is>> <<so it>> seems", "<<it is>> so it"),
    ("keywords:no_adjacent_consecutive", {}, "a cat eats", "a bat eats"),
    ("keywords:word_once", {"keyword": "sea"}, "The Sea is here", "sea, seas"),
    (
        "keywords:word_count_different_numbers",
        {"keyword": "sea", "frequency": 2, "relation": "at least"},
        "sea, Sea",
        "one sea",
    ),
    ("keywords:exclude_word_harder", {"keyword": "sea"}, "The seas. By the sea.", "The sea is here."),
    ("keywords:palindrome", {}, "look at noon", "look at dawn"),
    ("keywords:keyword_specific_position", POSITION, "Hi. By the, sea.".replace("the,", ","), "Hi. By the Sea."),
    ("keywords:start_end", {}, "Home is where we call home", "Home is where we call home."),
    ("paragraphs:paragraphs", {}, "one\n***\ntwo", "one\n\ntwo"),
    ("paragraphs:paragraphs2", {}, "one\n\ntwo", "one\n***\ntwo"),
    ("first_word:first_word_sent", {"first_word": "Big"}, "Big cats sleep. big dogs run!", "Big cats sleep. Dogs run!"),
    ("first_word:first_word_answer", {"first_word": "Big"}, "big cats", "A big cat"),
    ("last_word:last_word_sent", {"last_word": "end"}, "It is the end. An End!", "It is the end. It is."),
    ("last_word:last_word_answer", {"last_word": "end"}, "It is the end!", "The end is it."),
    ("punctuation:punctuation_dot", {}, "no dots!", "One dot."),
    ("punctuation:punctuation_exclamation", {}, "none.", "One!"),
    ("count:lowercase_counting", {"N": 2}, "ONE two Three four", "one two three"),
    (
        "count:counting_composition",
        {"n_sent": 1, "n_words": 3},
        "It is.\n***\nIt was.\n***\nSo there.",
        "It is.\n***\nIt was.",
    ),
    ("count:count_unique", {}, "no word twice here.", "no word, no"),
    ("count:count_increment_word", {"keyword1": "sea", "keyword2": "sky"}, "sea, sky, sky", "sea, sky"),
    ("letters:letter_counting", {"N": 5, "relation": "less than"}, "it is", "it was"),
    (
        "letters:letter_counting2",
        {"letter": "e", "let_frequency": 2, "let_relation": "at least"},
        "Eve",
        "even".upper()[1:],
    ),
]


def judge(name: str, kwargs: dict, answer: str):
    return verify("instruction", answer, {"instructions": [{"id": name, "kwargs": kwargs}]})


@pytest.mark.parametrize(("name", "kwargs", "follows", "breaks"), CASES, ids=[case[0] for case in CASES])
def test_a_kind_tells_followed_from_broken(name, kwargs, follows, breaks):
    check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})
    assert judge(name, kwargs, follows).reason == "follows all 1 instructions"
    assert judge(name, kwargs, breaks).outcome == "fail"


def test_there_are_29_kinds_beside_those_of_ifeval_and_ifbench():
    assert len({name for name, *_ in CASES}) == 29
    assert {name for name, *_ in CASES} <= set(known())
    assert len(known()) == 25 + 58 + 29


@pytest.mark.parametrize(
    ("name", "kwargs", "answer"),
    [
        ("first_word:first_word_sent", {"first_word": ["Big", "cats"]}, "Big cats."),
        ("last_word:last_word_sent", {"last_word": ["cats"]}, "Big cats."),
        ("keywords:keyword_specific_position", {"keyword": ["cats"], "n": 1.0, "m": 2.0}, "Big cats."),
        ("keywords:palindrome", {}, "I see a cat"),
        ("keywords:exclude_word_harder", {"keyword": "cats"}, "Big cats."),
    ],
)
def test_what_the_official_code_lets_pass_passes(name, kwargs, answer):
    check_spec("instruction", {"instructions": [{"id": name, "kwargs": kwargs}]})
    assert judge(name, kwargs, answer).outcome == "pass"


def test_explaining_names_each_instruction_and_why_it_is_not_followed():
    both = [{"id": "punctuation:no_comma", "kwargs": {}}, {"id": "paragraphs:paragraphs", "kwargs": {}}]
    verdict, steps = explain("instruction", "one***two***three", {"instructions": both})
    assert steps == ["punctuation:no_comma: followed", "paragraphs:paragraphs: paragraphs: 3, expected 2"]
    assert verdict.reason == "follows 1 of 2 instructions, not paragraphs:paragraphs (paragraphs: 3, expected 2)"
