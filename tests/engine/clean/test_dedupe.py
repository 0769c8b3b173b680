"""The same problem is kept once; problems with other numbers are never the same."""

import random

import pytest

from gradus.engine.clean.dedupe import DedupeConfig, dedupe
from gradus.engine.clean.guard import answer_of, called, defined
from gradus.engine.clean.texts import Text

NEAR = DedupeConfig(near=True)
DUCKS = "Janet's ducks lay 16 eggs per day. She eats three of them and sells the others. How many does she sell?"


def clean(texts, config=NEAR):
    """Return the ids that are kept, and the reasons of the others."""
    reasons = {}
    kept = [text.id for text in dedupe(lambda: iter(texts), config, drop=reasons.__setitem__)]
    assert len(kept) + len(reasons) == len(texts)
    return kept, reasons


def texts_of(*texts, answer="13"):
    return [Text(f"{number}", text, answer) for number, text in enumerate(texts)]


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize(
    "template",
    [
        "What is {} + {}?",
        "Tom has {} apples and buys {} more at the market near his house. How many apples does Tom have?",
        "Solve {}x^2 + 12x - {} = 0.",
    ],
)
def test_problems_of_one_template_with_other_numbers_all_stay(template, near):
    pairs = [(i // 20 + 2, i % 20 + 2) for i in range(500)]  # (3, 5) and (5, 3) among them
    texts = [Text(str(i), template.format(*pair), str(sum(pair))) for i, pair in enumerate(pairs)]
    assert len(clean(texts, DedupeConfig(near=near))[0]) == 500


@pytest.mark.parametrize("near", [False, True])
def test_case_spacing_and_punctuation_collapse_to_one(near):
    texts = texts_of(
        DUCKS, DUCKS.upper(), DUCKS.replace(" ", "\n "), DUCKS.replace(".", ";").replace("'", "’"),
        DUCKS.replace("three", "3"), DUCKS.replace("?", ""),
    )  # fmt: skip
    kept, reasons = clean(texts, DedupeConfig(near=near))
    assert kept == ["0"]
    assert set(reasons.values()) == {"exact duplicate: same text and answer as 0"}


def test_another_answer_is_another_problem():
    assert len(clean([Text("a", DUCKS, "13"), Text("b", DUCKS, "14")])[0]) == 2


def test_a_word_changed_is_near_and_not_exact():
    texts = texts_of(DUCKS, DUCKS.replace("the others", "the rest"))
    assert len(clean(texts, DedupeConfig(near=False))[0]) == 2
    kept, reasons = clean(texts, DedupeConfig(near=True, threshold=0.7))
    assert kept == ["0"]
    assert reasons["1"].startswith("near duplicate: 0.7")
    assert reasons["1"].endswith("similar to 0")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("maximum", "minimum"),
        ("first", "last"),
        ("even", "odd"),
        ("sum", "product"),
        ("repeated", "non-repeated"),
        ("fourth", "fifth"),
    ],
)
def test_a_word_that_turns_the_question_round_makes_another_problem(one, other):
    template = (
        "Write a function that looks at a long list of words and numbers and returns the {} one that it has in it."
    )
    texts = texts_of(template.format(one), template.format(other), answer="")
    assert len(clean(texts, DedupeConfig(near=True, threshold=0.5))[0]) == 2


def test_a_text_is_dropped_only_for_one_that_stays():
    """A chain of small changes: its ends are not alike, so its middle must not connect them."""
    chain = [" ".join([f"v{j}" for j in range(i)] + [f"w{j}" for j in range(i, 60)]) for i in range(0, 60, 2)]
    kept, reasons = clean(texts_of(*chain, answer=""), DedupeConfig(near=True, threshold=0.8))
    assert 2 < len(kept) < 30
    assert {reason.split()[-1] for reason in reasons.values()} <= set(kept)


def test_fixed_texts_stay_and_others_give_way_to_them():
    fixed = [Text("f", DUCKS, "13", fixed=True), Text("g", DUCKS.lower(), "13", fixed=True)]
    kept, reasons = clean([*fixed, Text("t", DUCKS, "13")])
    assert kept == ["f", "g"]
    assert reasons == {"t": "exact duplicate: same text and answer as f"}


def test_what_equals_a_dropped_text_is_dropped_for_the_same_reason():
    near = DUCKS.replace("others", "remaining ones")
    kept, reasons = clean(texts_of(DUCKS, near, near.upper()), DedupeConfig(near=True, threshold=0.6))
    assert kept == ["0"]
    assert reasons["1"] == reasons["2"]


def test_pairs_above_the_threshold_are_found_among_many():
    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("bdfghklmn", k=2)) + "".join(rng.choices("aeiou", k=3)) for _ in range(5000)]
    texts = []
    for number in range(1500):
        words = rng.choices(vocabulary, k=60)
        texts.append(Text(f"{number:04d}a", " ".join(words)))
        words[rng.randrange(60)] = "altered"
        texts.append(Text(f"{number:04d}b", " ".join(words)))
    kept, reasons = clean(texts)
    # 57 of 63 shingles are shared: 0.90.
    assert len(kept) <= 1503
    assert all(record[:4] == reason.split()[-1][:4] for record, reason in reasons.items())


def test_nothing_in_nothing_out():
    assert clean([]) == ([], {})


def test_texts_without_words_are_equal():
    assert clean([Text("a", "…"), Text("b", "?!"), Text("c", "")])[0] == ["a"]


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ({"expected": "$18.00"}, "18"),
        ({"expected": "B", "choices": ["x", "y"]}, "b of x y"),
        ({"tests": ["assert set(isEven((3, 4))) == {4}", "assert is_even(1) == 2"]}, "calls iseven"),
        ({"instructions": [{"id": "a"}], "prompt": "Write."}, '{"instructions":[{"id":"a"}]}'),
    ],
)  # fmt: skip
def test_the_answer_of_a_spec_has_one_spelling(spec, answer):
    assert answer_of(spec) == answer


def test_functions_are_known_by_tests_and_definitions():
    assert called("assert sorted(isEven(2)) == [1]\nassert is_even(3)") == {"iseven"}
    assert defined("```python\ndef min_cost(a, b):\n  ...```") == {"mincost"}
