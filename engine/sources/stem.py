"""STEM multiple choice: quantities and facts of physics, chemistry and biology, with distractors from usual mistakes.

A level is a difficulty, 1 to 4. Options are shuffled; the order shown, with its labels, is the verifier's `choices`.
Distractors differ from the answer and each other by more than 5%; where mistakes give too few, powers of ten and
halves fill up. Options of the generator: fields, choices (2 to 6 a question), formats, templates.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from string import ascii_uppercase
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators
from gradus.engine.sources.stem_biology import BIOLOGY
from gradus.engine.sources.stem_chemistry import CHEMISTRY
from gradus.engine.sources.stem_form import Template, Value, differ, is_rounded, shown
from gradus.engine.sources.stem_physics import PHYSICS

FIELDS = {"physics": PHYSICS, "chemistry": CHEMISTRY, "biology": BIOLOGY}
NUM_LEVELS = 4
FILLING = (Fraction(10), Fraction(1, 10), Fraction(1, 2), Fraction(2), Fraction(100), Fraction(1, 100))
TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How options are labelled and set out, and what is asked for."""

    labels: Sequence[str]
    option: str
    joint: str
    ask: str


FORMATS = {
    "letters": Format(
        labels=ascii_uppercase, option="{}. {}", joint="\n", ask="Answer with the letter of the right option."
    ),
    "brackets": Format(
        labels=ascii_uppercase, option="({}) {}", joint="\n", ask="Which option is right? Name its letter."
    ),
    "numbers": Format(labels="123456", option="{}) {}", joint="\n", ask="Answer with the number of the right option."),
    "roman": Format(
        labels=("i", "ii", "iii", "iv", "v", "vi"),
        option="({}) {}",
        joint="\n",
        ask="Give the numeral of the right option.",
    ),
    "inline": Format(labels=ascii_uppercase, option="({}) {}", joint="; ", ask="Answer with one of these letters."),
}


def question(rng: random.Random, template: Template, field: str, *, form: str, choices: int) -> Problem | None:
    """Draw a template's quantities; None where they give too few different options."""
    drawn = {name: rng.choice(values) for name, values in template.given.items()}
    right = template.answer(**drawn)
    others = _distractors(right, template.slips(**drawn), choices - 1)
    if len(others) < choices - 1 or not _sensible(right):
        return None
    options = rng.sample([right, *others], choices)
    texts, look = [shown(option, template.unit) for option in options], FORMATS[form]
    if set(texts) & set(look.labels):  # "4" would name two options
        return None
    asked = template.ask.format(**{name: _said(value) for name, value in drawn.items()})
    if any(map(is_rounded, options)):
        asked += " (Options are rounded to three significant digits.)"
    lines = [look.option.format(label, text) for label, text in zip(look.labels, texts, strict=False)]
    spec = {
        "expected": look.labels[options.index(right)],
        "choices": dict(zip(look.labels, texts, strict=False)),
    }
    return Problem(
        prompt=f"{asked}\n\n{look.joint.join(lines)}\n\n{look.ask}",
        domain="stem",
        verifier="choice",
        spec=spec,
        source=f"stem/{template.name}",
        tags=(f"field:{field}", f"format:{form}"),
    )


def _said(value: Any) -> Any:
    return shown(value) if isinstance(value, Fraction) else value


def _sensible(value: Value) -> bool:
    return isinstance(value, str) or value > 0


def _distractors(right: Value, slips: Iterable[Value], num: int) -> list[Value]:
    """Return the first num wrong answers that differ from the right one and from each other."""
    filling = [] if isinstance(right, str) else [right * factor for factor in FILLING]
    found: list[Value] = []
    for slip in (*slips, *filling):
        if len(found) < num and _sensible(slip) and all(differ(slip, known) for known in (right, *found)):
            found.append(slip)
    return found


def _level(templates: Sequence[tuple[str, Template]], formats: Sequence[str], choices: int) -> Level:
    def draw(rng: random.Random) -> Problem:
        for _ in range(TRIES):
            field, template = rng.choice(templates)
            if problem := question(rng, template, field, form=rng.choice(formats), choices=choices):
                return problem
        raise ValueError(f"no template has {choices} different options; ask for fewer")

    return draw


@generators.register("stem")
def levels(
    *,
    fields: Collection[str] = tuple(FIELDS),
    choices: int = 4,
    formats: Collection[str] = tuple(FORMATS),
    templates: Collection[str] = (),
) -> tuple[Level, ...]:
    """From one formula to several steps, of some fields or templates; levels without a template are left out."""
    _known("field", fields, FIELDS)
    _known("format", formats, FORMATS)
    _known("template", templates, {template.name for known in FIELDS.values() for template in known})
    if not 2 <= choices <= 6:
        raise ValueError(f"choices must be 2 to 6, not {choices}")
    chosen = [(f, t) for f in FIELDS if f in fields for t in FIELDS[f] if not templates or t.name in templates]
    by_level = [[pair for pair in chosen if pair[1].level == level] for level in range(1, NUM_LEVELS + 1)]
    made = tuple(_level(pairs, tuple(formats), choices) for pairs in by_level if pairs)
    if not made or not formats:
        raise ValueError("nothing is left to draw from; name a field, a format and a template of that field")
    for one in made:
        one(random.Random(0))  # options that do not fit are told now
    return made


def _known(what: str, asked: Collection[str], known: Collection[str]) -> None:
    if isinstance(asked, str) or not set(asked) <= set(known):
        wrong = asked if isinstance(asked, str) else sorted(set(asked) - set(known))[0]
        raise ValueError(f"no list of known {what}s: {wrong!r}. Known: {', '.join(known)}.")
