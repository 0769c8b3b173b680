"""Plant leaks: a problem of a benchmark as it turns up in training data, changed in one of ten ways.

Every way is a function (text, world, rng) → text. `world` holds what the ways need of the other problems: the words
that are written in lower case somewhere (so that the others can be told for names), and texts to hide in.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

NAMES = (
    "Aurelio",
    "Bettina",
    "Casimir",
    "Dagny",
    "Evander",
    "Fenja",
    "Gaspard",
    "Hedda",
    "Isidro",
    "Jorunn",
    "Kasimira",
)
NAMES += ("Leocadia", "Matteus", "Nerea", "Ottoline", "Pelle", "Quirin", "Roswitha", "Sunniva", "Tancred", "Ulrika")
SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SMALL += ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d.])|(?<![\w.,])\d+(?![\w,]|\.\d)")
BEFORE = (
    "You are a careful assistant. Think step by step and put the result into a box.\n\nProblem: ",
    "### Instruction\nSolve the exercise below and explain each step.\n\n### Input\n",
    "Here is something my teacher gave us yesterday, I really cannot see where to begin: ",
)
AFTER = (
    "\n\nPlease reason step by step.",
    "\n\n### Response\nLet us begin by writing down what is known.",
    "\nThanks a lot! Also, which chapter of the book should I read first?",
)
FEWEST_WORDS = 12


@dataclass
class World:
    """What the other problems tell."""

    others: Sequence[str]
    lower: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for text in self.others:
            self.lower |= set(re.findall(r"\b[a-z]+\b", text))


Way = Callable[[str, World, random.Random], str]


def case(text: str, _: World, rng: random.Random) -> str:
    """Write everything large, small, or each word with a capital."""
    return rng.choice([str.upper, str.lower, str.title])(text)


def spacing(text: str, _: World, rng: random.Random) -> str:
    """Put lines and spaces in some places, and around signs."""
    text = re.sub(r" ", lambda _m: rng.choice([" ", " ", "  ", "\n", "\t"]), text)
    return re.sub(r"([-+*/=%$])", lambda m: rng.choice([m[1], f" {m[1]} "]), text)


def punctuation(text: str, _: World, rng: random.Random) -> str:
    """Drop the marks between words, or write others."""
    if rng.random() < 0.5:
        return re.sub(r"(?<!\d)[.,;:?!'’\"](?!\d)|[.,;:?!](?=\s|$)", "", text)
    return re.sub(r"[.?](?=\s|$)", lambda _: rng.choice([" …", "!", " —", ";"]), text).replace("’", "'")


def latex(text: str, _: World, rng: random.Random) -> str:
    """Set the numbers as LaTeX does, and a word or two in bold."""
    text = text.replace("%", r"\%").replace("$", r"\$")
    text = re.sub(r"\b(\d+)/(\d+)\b", r"\\frac{\1}{\2}", text)
    text = NUMBER.sub(lambda m: "$" + m[0].replace(",", "{,}") + "$", text)
    words = text.split(" ")
    for place in rng.sample(range(len(words)), k=min(3, len(words))):
        if words[place].isalpha():
            words[place] = rng.choice([r"\textbf{%s}", r"\text{%s}", r"\emph{%s}"]) % words[place]
    return " ".join(words)


def number_words(text: str, _world: World, _rng: random.Random) -> str:
    """Write numbers in words, and words of numbers in digits."""
    digits = {word: str(value) for value, word in enumerate(SMALL)}
    text = re.sub(r"\b[a-z]+\b", lambda m: digits.get(m[0], m[0]) if m[0] != "one" else m[0], text)
    return NUMBER.sub(lambda m: spelled(int(m[0].replace(",", ""))), text)


def spelled(value: int) -> str:
    """Return a number below a million in English words."""
    if value < 20:
        return SMALL[value]
    if value < 100:
        return TENS[value // 10 - 2] + (f"-{SMALL[value % 10]}" if value % 10 else "")
    if value < 1000:
        return f"{SMALL[value // 100]} hundred" + (f" and {spelled(value % 100)}" if value % 100 else "")
    if value < 1_000_000:
        return f"{spelled(value // 1000)} thousand" + (f" {spelled(value % 1000)}" if value % 1000 else "")
    return str(value)


def names(text: str, world: World, rng: random.Random) -> str:
    """Call people and places otherwise, and one-letter variables too."""
    found = {word for word in re.findall(r"\b[A-Z][a-z]+\b", text) if word.lower() not in world.lower}
    fresh = dict(zip(sorted(found), rng.sample(NAMES, k=len(found)), strict=True)) if len(found) <= len(NAMES) else {}
    text = re.sub(r"\b[A-Z][a-z]+\b", lambda m: fresh.get(m[0], m[0]), text)
    letters = sorted(set(re.findall(r"(?<!')\b[b-hj-z]\b", text)))
    other = dict(zip(letters, rng.sample("pqruvwyz", k=min(len(letters), 8)), strict=False))
    return re.sub(r"(?<!')\b[b-hj-z]\b", lambda m: other.get(m[0], m[0]), text)


def reordered(text: str, _: World, rng: random.Random) -> str:
    """Let the sentences change places."""
    sentences = re.split(r"(?<=[.?!])\s+", text)
    rng.shuffle(sentences)
    return " ".join(sentences)


def wrapped(text: str, world: World, rng: random.Random) -> str:
    """Put it between other text, another problem among it."""
    return rng.choice(BEFORE) + rng.choice(world.others) + "\n\n" + text + rng.choice(AFTER)


def truncated(text: str, _: World, rng: random.Random) -> str:
    """Keep the first half, or somewhat more, but no less than says which problem it was."""
    words = text.split(" ")
    return " ".join(words[: max(round(len(words) * rng.uniform(0.5, 0.8)), FEWEST_WORDS)])


def trace_only(text: str, world: World, rng: random.Random) -> str:
    """Let it come up in the middle of a long answer to something else."""
    others = rng.sample(list(world.others), k=min(12, len(world.others)))
    middle = len(others) // 2
    return "\n".join([*others[:middle], "This reminds me of: " + text, *others[middle:]])


WAYS: tuple[Way, ...] = (
    case,
    spacing,
    punctuation,
    latex,
    number_words,
    names,
    reordered,
    wrapped,
    truncated,
    trace_only,
)


def several(text: str, world: World, rng: random.Random) -> str:
    """Change names, numbers, order and case at once: harder than what the goal asks for."""
    for way in (names, number_words, reordered, case):
        text = way(text, world, rng)
    return text


def other_numbers(text: str, _: World, rng: random.Random) -> str:
    """Change every number in digits: the same story, but another problem, so no leak."""
    return NUMBER.sub(lambda m: str(int(m[0].replace(",", "")) + rng.randint(1, 9)), text)
