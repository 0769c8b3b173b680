"""A teacher on loopback that really works: it solves small stories by reading them, and writes new ones.

A story goes: who starts with how many of what, then gets more, loses some, or has it multiplied; the question is how
many there are. Two such stories, or ours made of two, are solved as well. Everything else has no answer.
"""

import re
from typing import NamedTuple

from loopback import chat

from gradus.engine.records import Problem

STEP = re.compile(r"(starts with|gets|loses|multiplies it by) (\([^)]*\)|[A-Z]\b|[\d.,]*\d)")
VALUE = re.compile(r"\(?(?:([A-Z])\b ?([+-])? ?)?([\d.,]+)?\)?")
PEOPLE = ("Ada", "Ben", "Cleo", "Dan", "Eve")
THINGS = ("stamps", "coins", "shells", "pears", "cards")


def story(who, what, *steps):
    """Tell of somebody and something; steps are as ("starts with", 12), ("gets", 5)."""
    said = {"starts with": "{who} starts with {n} {what}.", "gets": "{who} gets {n} more.", "loses": "{who} loses {n}."}
    said["multiplies it by"] = "Then {who} multiplies it by {n} at the market."
    lines = [said[verb].format(who=who, what=what, n=n) for verb, n in steps]
    return " ".join([*lines, f"How many {what} does {who} have in the end?"])


def story_problem(text, *, tags=(), source="stories"):
    """Return a story as a problem with its right answer."""
    return Problem(
        prompt=text, domain="math", verifier="math", spec={"expected": f"{solve(text):g}"}, source=source, tags=tags
    )


def stories(num):
    """Return stories that all differ in plot or numbers."""
    verbs = ("gets", "loses", "multiplies it by")
    found = []
    for i in range(num):
        verb, n = verbs[i % 3], (7 + i, 5 + i, 2 + i % 7)[i % 3]
        text = story(f"Tim{chr(97 + i)}", "apples", ("starts with", 40 + 3 * i), (verb, n), ("gets", 12 + i))
        found.append(story_problem(text))
    return found


def solve(text):
    """Return the answer; None if the text tells no such story."""
    if match := re.search(
        r"First question: (.*?)\n\nLet (\w) be .*?\n\nSecond question: (.*?)\n\nGive", text, re.DOTALL
    ):
        return fold(match[3], {match[2]: fold(match[1], {})})
    if match := re.search(
        r"First question: (.*?)\n\nSecond question: (.*?)\n\nMultiply .*? by (\d+),", text, re.DOTALL
    ):
        return int(match[3]) * fold(match[1], {}) + fold(match[2], {})
    return fold(text, {})


def fold(text, names):
    """Do what the story tells."""
    total = None
    for verb, said in STEP.findall(text):
        name, sign, digits = VALUE.match(said).groups()
        value = float((digits or "0").replace(",", "").rstrip("."))
        if name:
            value = names[name] + (-value if sign == "-" else value)
        if verb == "starts with":
            total = value
        elif total is None:
            return None
        else:
            total = {"gets": total + value, "loses": total - value, "multiplies it by": total * value}[verb]
    return total


def rewrite(text, seed):
    """Tell the story of someone else, with something else."""
    who = re.match(r"(\w+) starts", text)[1]
    what = re.search(r"How many (\w+)", text)[1]
    return text.replace(who, PEOPLE[seed % 5]).replace(what, THINGS[seed // 5 % 5]).replace("in the end", "at last")


def merge(first, second):
    """Tell the second story after the first one, in place of its start."""
    first, second = first.strip(), second.strip()
    who = re.match(r"(\w+) starts", first)[1]
    rest = [f"{verb} {n}" for verb, n in STEP.findall(second)[1:]]
    steps = first.rpartition(" How many")[0]
    return f"{steps} Later {who} " + f", then {who} ".join(rest) + f" as well. How much has {who} by night?"


class Asked(NamedTuple):
    """A question; right is None if it has no answer."""

    text: str
    seed: int
    right: float | None


class Storyteller:
    """Answers requests. blunder says what it says instead of the right number."""

    def __init__(self, blunder=lambda asked: asked.right):
        self.blunder = blunder

    def __call__(self, _, body):
        ask, seed = body["messages"][-1]["content"], body["seed"]
        return chat({"content": self.says(ask, seed)}, choice={"finish_reason": "stop"})

    def says(self, ask, seed):
        if ask.startswith("Rewrite the problem"):
            text = ask.split("<problem>")[-1].split("</problem>")[0].strip()
            return f"Gladly.\n<problem>\n{rewrite(text, seed)}\n</problem>"
        if ask.startswith("Below are two problems"):
            first, second = re.search(r"First problem:\n(.*?)\n\nSecond problem:\n(.*)", ask, re.DOTALL).groups()
            return f"<problem>{merge(first, second)}</problem>"
        said = self.blunder(Asked(ask, seed, solve(ask)))
        if said is None:
            return "I put it in a box: \\boxed{impossible}"
        return f"I did what the story tells, and get \\boxed{{{said:g}}}."
