"""Drawn instructions never contradict each other: answers that follow them all are built by rule."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradus.verifiers.instruction  # noqa: F401 - registers the kinds
from gradus.verifiers.base import SpecError, check_spec, verify
from gradus.verifiers.instructions.conflicts import conflict, conflicting
from gradus.verifiers.instructions.demands import contradiction, demand
from gradus.verifiers.instructions.draw import draw, rules
from gradus.verifiers.instructions.registry import known
from gradus.verifiers.instructions.vocabulary import listed

FILLERS = listed(
    "the there are on in is at to so it as not or our this that have you for your we be his her what who another "
    "because through"
)
FILLS = (0, 2, 4, 8, 14, 22, 30, 40, 60, 70, 90, 110, 135, 160, 210, 310, 420)
BLANK_LINES = {"paragraphs:paragraphs2", "length_constraints:nth_paragraph_first_word"}


def spec_of(drawn) -> dict:
    return {"instructions": [{"id": one.kind, "kwargs": one.kwargs} for one in drawn]}


def witness(drawn) -> str | None:
    """Return an answer that follows all of drawn, trying more and more filling; None when none is found."""
    for num_fillers in FILLS:
        answer = build({one.kind: one.kwargs for one in drawn}, num_fillers)
        if verify("instruction", answer, spec_of(drawn)).outcome == "pass":
            return answer
    return None


def build(asked: dict[str, dict], num_fillers: int) -> str:
    words = required_words(asked) + fillers(asked, num_fillers)
    for kind, (left, right, step) in {
        "detectable_format:square_brackets": ("[", "]", 1),
        "detectable_format:bigram_wrapping": ("<<", ">>", 2),
    }.items():
        if kind in asked:
            words = words if len(words) % step == 0 else [*words, words[-1]]
            return cased(
                asked, " ".join(left + " ".join(words[i : i + step]) + right for i in range(0, len(words), step))
            )
    divider = "\n\n" if asked.keys() & BLANK_LINES else "\n***\n"
    text = divider.join(paragraphs(asked, words))
    text = "\n".join([text, *ending(asked, text)])
    text = f'"{text}"' if "startend:quotation" in asked else text
    return cased(asked, text)


def cased(asked: dict[str, dict], text: str) -> str:
    if "change_case:english_lowercase" in asked:
        return text.lower()
    return text.upper() if "change_case:english_capital" in asked else text


def limited(asked: dict[str, dict]) -> list[str]:
    return [text for kind, kwargs in asked.items() for text, _ in demand(kind, kwargs).limits]


def fillers(asked: dict[str, dict], num: int) -> list[str]:
    free = [word for word in FILLERS if not any(text in word for text in limited(asked))]
    letters = [kwargs["letter"] for kwargs in asked.values() if kwargs.get("let_relation") == "at least"]
    pool = [word for word in free if all(letter in word for letter in letters)] or [
        word for word in free if any(letter in word for letter in letters)
    ]
    ordered = pool + free if letters else free
    if letters and num < 30:
        ordered = pool or free
    return [ordered[i % len(ordered)] for i in range(num)]


def required_words(asked: dict[str, dict]) -> list[str]:
    words = []
    for kind, kwargs in asked.items():
        if kind.startswith(("keywords:", "count:")):
            for text, count in demand(kind, kwargs).texts:
                words += [text] * count
        if kind == "change_case:capital_word_frequency" and kwargs["capital_relation"] == "at least":
            words += [word.upper() for word in fillers(asked, kwargs["capital_frequency"])]
    return words or fillers(asked, 1)


def paragraphs(asked: dict[str, dict], words: list[str]) -> list[str]:
    """Return the text of each paragraph: sentences, then headings, bullet points and the like in the first."""
    number = next((k["num_paragraphs"] for k in asked.values() if "num_paragraphs" in k), 0)
    number = number or (2 if asked.keys() & {"paragraphs:paragraphs", "paragraphs:paragraphs2"} else 1)
    sentences = asked.get("length_constraints:number_sentences", {})
    wanted = sentences["num_sentences"] if sentences.get("relation") == "at least" else 0
    units = max(number, wanted)
    words = words if len(words) >= units else words + fillers(asked, units - len(words))
    stop = next((mark for mark in ".!?" if mark not in limited(asked)), "?")
    shares = [words[i::units] for i in range(units)]
    before = [str(k["first_word"]) for kind, k in asked.items() if kind == "first_word:first_word_sent"]
    after = [str(k["last_word"]) for kind, k in asked.items() if kind == "last_word:last_word_sent"]
    said = [" ".join([*before, *share, *after]) + (stop if wanted else "") for share in shares]
    said = [one[0].upper() + one[1:] if wanted else one for one in said]
    parts = ["\n".join(said[i::number]) for i in range(number)]
    for kwargs in asked.values():
        if "nth_paragraph" in kwargs:
            place = kwargs["nth_paragraph"] - 1
            parts[place] = f"{kwargs['first_word']} {parts[place]}"
    parts[0] = "\n".join([*opening(asked), parts[0], *ornaments(asked)])
    return parts


def opening(asked: dict[str, dict]) -> list[str]:
    word = asked.get("first_word:first_word_answer", {}).get("first_word")
    already = asked.get("length_constraints:nth_paragraph_first_word", {}).get("nth_paragraph") == 1
    if word and not already:
        return [word]
    return fillers(asked, 1) if "keywords:start_end" in asked and not already else []


def ornaments(asked: dict[str, dict]) -> list[str]:
    word = fillers(asked, 1)[0]
    lines = [f"<<{word}>>"] if "detectable_format:title" in asked else []
    for kwargs in asked.values():
        lines += [f"[{word}]"] * kwargs.get("num_placeholders", 0)
        lines += [f"{word} *{word}*"] * kwargs.get("num_highlights", 0)
        lines += [f"{kwargs['section_spliter']} {i + 1}" for i in range(kwargs.get("num_sections", 0))]
        lines += [f"- {word}"] * kwargs.get("num_bullets", 0)
    return lines


def ending(asked: dict[str, dict], text: str) -> list[str]:
    lines = []
    for kind, kwargs in asked.items():
        if kind == "detectable_content:postscript":
            lines.insert(0, f"{kwargs['postscript_marker']} {fillers(asked, 1)[0]}")
        if kind == "startend:end_checker":
            lines.append(kwargs["end_phrase"])
        if kind == "last_word:last_word_answer":
            lines.append(kwargs["last_word"])
        if kind == "keywords:start_end":
            lines.append(text.split()[0].lower())
    return lines


@given(st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_no_drawn_set_contradicts_and_every_spec_is_usable(seed, num):
    drawn = draw(random.Random(seed), num)
    assert len({one.kind for one in drawn}) == num
    assert conflicting([one.kind for one in drawn]) is None
    assert not contradiction((one.kind, one.kwargs) for one in drawn)
    check_spec("instruction", spec_of(drawn))


@pytest.mark.parametrize("num", [1, 2, 3, 4, 5, 6])
def test_an_answer_that_follows_all_drawn_instructions_can_be_built(num):
    for seed in range(100):
        drawn = draw(random.Random(f"{num}/{seed}"), num)
        assert witness(drawn), drawn


@pytest.mark.parametrize("kind", sorted(rules))
def test_each_kind_alone_can_be_followed_and_is_not_followed_by_anything(kind):
    for seed in range(10):
        drawn = draw(random.Random(seed), 1, include=[kind])
        assert witness(drawn), drawn
        assert drawn[0].said
    assert kind in known()


WORDS, SENTENCES = "length_constraints:number_words", "length_constraints:number_sentences"
CONTRADICTIONS = [
    ((WORDS, {"num_words": 10, "relation": "less than"}), (SENTENCES, {"num_sentences": 9, "relation": "at least"})),
    (("keywords:existence", {"keywords": ["river"]}), ("keywords:forbidden_words", {"forbidden_words": ["River"]})),
    (("keywords:existence", {"keywords": ["rivers"]}), ("keywords:exclude_word_harder", {"keyword": "river"})),
    (
        ("keywords:frequency", {"keyword": "sea", "frequency": 3, "relation": "at least"}),
        ("keywords:word_once", {"keyword": "sea"}),
    ),
    (
        ("change_case:english_lowercase", {}),
        ("change_case:capital_word_frequency", {"capital_frequency": 3, "capital_relation": "at least"}),
    ),
    (("change_case:english_lowercase", {}), ("change_case:english_capital", {})),
    (("startend:end_checker", {"end_phrase": "Well, bye"}), ("punctuation:no_comma", {})),
    (("startend:end_checker", {"end_phrase": "So long!"}), ("punctuation:punctuation_exclamation", {})),
    (
        ("startend:end_checker", {"end_phrase": "quiz"}),
        ("keywords:letter_frequency", {"letter": "q", "let_frequency": 1, "let_relation": "less than"}),
    ),
    (("detectable_content:postscript", {"postscript_marker": "P.S."}), ("punctuation:punctuation_dot", {})),
    (
        (WORDS, {"num_words": 20, "relation": "less than"}),
        ("letters:letter_counting", {"N": 400, "relation": "at least"}),
    ),
    (
        ("letters:letter_counting", {"N": 200, "relation": "less than"}),
        (WORDS, {"num_words": 300, "relation": "at least"}),
    ),
    (("startend:quotation", {}), ("first_word:first_word_answer", {"first_word": "today"})),
    (("copy:copy", {}), ("punctuation:no_comma", {})),
    (
        ("first_word:first_word_answer", {"first_word": "today"}),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "perhaps"},
        ),
    ),
]


@pytest.mark.parametrize("pair", CONTRADICTIONS)
def test_what_no_answer_can_follow_is_called_a_contradiction(pair):
    assert contradiction(pair)
    assert contradiction(pair[::-1])
    assert not contradiction(pair[:1])


def test_no_kind_goes_with_itself_and_conflicts_hold_both_ways():
    kinds = known()
    assert all(conflict(kind, kind) for kind in kinds)
    assert all(conflict(one, two) == conflict(two, one) for one in kinds for two in kinds)


def test_the_same_seed_draws_the_same_and_kinds_can_be_chosen():
    assert draw(random.Random(7), 4) == draw(random.Random(7), 4)
    assert draw(random.Random(7), 4) != draw(random.Random(8), 4)
    include = ["punctuation:no_comma", "keywords:existence", "detectable_format:title"]
    assert {one.kind for one in draw(random.Random(0), 3, include=include)} == set(include)
    drawn = [one.kind for seed in range(50) for one in draw(random.Random(seed), 4, exclude=include)]
    assert not set(drawn) & set(include)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(SpecError, match="cannot draw words:vowel"):
        draw(random.Random(0), 1, include=["words:vowel"])
    with pytest.raises(SpecError, match="no 2 fit together"):
        draw(random.Random(0), 2, include=["change_case:english_capital", "change_case:english_lowercase"])


def test_ifbench_stays_a_held_out_test():
    groups = ("count:", "ratio:", "words:", "sentence:", "format:", "custom:", "repeat:")
    assert {kind for kind in rules if kind.startswith(groups)} == {"count:count_increment_word"}
