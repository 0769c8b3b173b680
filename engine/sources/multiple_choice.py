"""Multiple choice in others' layouts: the options in the prompt, the right one's label expected.

`mmlu`: `question`, `choices` or `options` (a list), `answer` (a letter, or a number from 0), as MMLU and MMLU-Pro.
`arc`: `question` or `question_stem`, `choices` of `{text, label}`, `answerKey`, as ARC, OpenBookQA and CommonsenseQA.
`gpqa`: `Question`, `Correct Answer`, `Incorrect Answer 1` …; or `question`, `correct_answer`, `distractor1` …, as SciQ.
There the right answer stands apart, so options are shuffled, by the question's own text: always the same way.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers
from gradus.verifiers.base import SpecError, check_spec

Row = Mapping[str, Any]
ASK = "Answer with the label of the right option."


@importers.register("mmlu")
def mmlu(row: Row) -> Problem:
    """Padding of MMLU-Pro ("N/A") is no option; `subject` or `category` becomes a tag."""
    texts = list(row["choices"] if "choices" in row else row["options"])
    while len(texts) > 2 and str(texts[-1]).strip() in ("", "N/A"):
        texts.pop()
    answer = row["answer"]
    if isinstance(answer, str) and answer.strip().isdigit():
        answer = int(answer)
    labels = ascii_uppercase[: len(texts)]
    if isinstance(answer, int) and not isinstance(answer, bool):
        if not 0 <= answer < len(texts):
            raise ValueError(f"answer {answer} is none of {len(texts)} options, counted from 0")
        answer = labels[answer]
    subject = row.get("subject") or row.get("category")
    choices = dict(zip(labels, texts, strict=True))
    return _problem(row["question"], choices, expected=answer, source="mmlu", subject=subject)


@importers.register("arc")
def arc(row: Row) -> Problem:
    """Labels are kept as they are: A to E, or 1 to 5. The original release nests them in `question`."""
    question, choices = row.get("question", row.get("question_stem")), row.get("choices")
    if isinstance(question, Mapping):
        choices, question = question["choices"], question["stem"]
    if isinstance(choices, Mapping):
        pairs = list(zip(choices["label"], choices["text"], strict=True))
    else:
        pairs = [(choice["label"], choice["text"]) for choice in choices or ()]
    subject = row.get("question_concept")
    return _problem(question, dict(pairs), expected=row["answerKey"], source="arc", subject=subject)


@importers.register("gpqa")
def gpqa(row: Row) -> Problem:
    """`Subdomain` becomes a tag."""
    if "Question" in row:
        question, right = row["Question"], row["Correct Answer"]
        wrong = [value for name, value in sorted(row.items()) if name.startswith("Incorrect Answer") and value]
    else:
        question, right = row["question"], row["correct_answer"]
        wrong = [value for name, value in sorted(row.items()) if name.startswith("distractor") and value]
    if not all(isinstance(text, str) for text in (question, right, *wrong)):
        raise TypeError("question and answers must be text")
    texts = [text.strip() for text in (right, *wrong)]
    if len(set(texts)) < len(texts):
        raise ValueError("two answers are the same")
    shuffled = random.Random(question).sample(texts, len(texts))
    label = ascii_uppercase[shuffled.index(texts[0])]
    choices = dict(zip(ascii_uppercase, shuffled, strict=False))
    return _problem(question, choices, expected=label, source="gpqa", subject=row.get("Subdomain"))


def _problem(question: Any, choices: Mapping[Any, Any], *, expected: Any, source: str, subject: Any) -> Problem:
    if not isinstance(question, str) or not question.strip():
        raise ValueError("the question must be text")
    options = {str(label).strip(): str(text).strip() for label, text in choices.items()}
    if not all(options.values()) or len(options) < 2:
        raise ValueError("options must be two at least, and none empty")
    spec: dict[str, Any] = {"expected": str(expected).strip(), "choices": options}
    if spec["expected"] not in options:
        raise ValueError(f"answer {spec['expected']!r} is none of the labels {', '.join(options)}")
    lines = "\n".join(f"{label}. {text}" for label, text in options.items())
    return Problem(
        prompt=f"{question.strip()}\n\n{lines}\n\n{ASK}",
        domain="stem",
        verifier="choice",
        spec=_judgeable(spec),
        source=source,
        tags=(f"subject:{subject}",) if isinstance(subject, str) and subject.strip() else (),
    )


def _judgeable(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec without the texts where one of them is also a label: then only labels can name an option."""
    try:
        check_spec("choice", spec)
    except SpecError:
        blank = dict.fromkeys(spec["choices"], "")
        return {"expected": spec["expected"], "choices": blank}
    return spec
