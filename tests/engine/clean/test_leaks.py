# ruff: noqa: E501 - a problem a line
"""Planted leaks of self-written problems are found however they are changed; their neighbours stay."""

import random
import runpy
from pathlib import Path

import pytest

from gradus.engine.clean.decontaminate import decontaminate
from gradus.engine.clean.leaks import Item, LeakIndex, Thresholds
from gradus.engine.clean.texts import Text

PLANTING = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "planting.py"))

STORIES = [
    ("Ravi bakes 24 muffins on Monday and 18 on Friday. He gives 7 of them to his neighbour Ines. How many muffins does Ravi have left?", "35"),
    ("A ferry carries 60 cars on each trip. It makes 5 trips a day from Monday to Thursday. How many cars does it carry in those 4 days?", "1200"),
    ("Greta reads 35 pages every evening. Her book has 420 pages, and she has read 105 pages so far. How many evenings does she still need?", "9"),
    ("A tank holds 1,250 litres of water. Each hour 75 litres flow in while 25 litres leak out. How much more water is in the tank after 6 hours?", "300"),
    ("Omar earns $14 an hour and works 38 hours a week. He spends 25% of what he earns on rent. How much of a week's pay is left after rent?", "399"),
    ("The sum of two consecutive odd integers is 156. What is the larger of the two integers?", "79"),
    ("Nadia cuts a ribbon of 180 cm into pieces of 12 cm. She ties 3 pieces around each present. For how many presents is the ribbon enough?", "5"),
    ("A theatre has 22 rows with 16 seats in each row. At the matinee 97 seats were empty. How many people came to the matinee?", "255"),
    ("Pia is three times as old as her brother Leon. In eight years she will be twice as old as Leon. How old is Pia now?", "24"),
    ("A train leaves Bern at 9:15 and travels 144 km at 96 km per hour. At what time does it arrive?", "10:45"),
    ("Find the value of $x$ for which $3x + 17 = 5x - 9$, and then work out $x^2 - 4x$.", "117"),
    ("A rectangle is 15 cm longer than it is wide, and its perimeter is 94 cm. What is its area in square centimetres?", "496"),
]  # fmt: skip
CODE = [
    ("Write a function that returns the longest word of a sentence that has no letter twice.", "longest_distinct_word"),
    ("Write a function to rotate the border of a square matrix clockwise by one step.", "rotate_border"),
    ("Implement a function that merges overlapping time slots and returns the total number of free minutes.", "free_minutes"),
]  # fmt: skip
ITEMS = [
    *(Item(name=str(i), text=text, answer=answer.replace(":", " ")) for i, (text, answer) in enumerate(STORIES)),
    *(Item(name=name, text=text, functions=frozenset([name.replace("_", "")])) for text, name in CODE),
]
CLEAN = [
    "Ravi bakes 30 muffins on Sunday and 11 on Friday. He gives 4 of them to his neighbour Ines. How many muffins does Ravi have left?",
    "The sum of two consecutive odd integers is 212. What is the larger of the two integers?",
    "The sum of two consecutive even integers is 158. What is the smaller of the two integers?",
    "A theatre sold 310 tickets at 12 euros and 95 tickets at 7 euros. How much money did it take in?",
    "Find the value of $x$ for which $7x + 12 = 2x - 8$.",
    "Nadia has a ribbon. She ties pieces of it around her presents, each of which needs 40 cm, and 20 cm remain of 340 cm.",
    "Write a function that returns the shortest word of a sentence.",
    "Write a function to rotate a list to the left by k steps.",
    "How old will Leon be in eleven years if he is now half as old as his aunt, who is 38?",
]  # fmt: skip


def reasons_of(texts, items=ITEMS):
    found = {}
    index = LeakIndex(items, Thresholds())
    kept = list(decontaminate(texts, index, "own", drop=found.__setitem__, advance=lambda _: None))
    assert len(kept) + len(found) == len(texts)
    return found


@pytest.mark.parametrize("way", [*PLANTING["WAYS"], PLANTING["several"]], ids=lambda way: way.__name__)
@pytest.mark.parametrize("answers", [True, False])
def test_planted_leaks_are_found(way, answers):
    world = PLANTING["World"](CLEAN)
    rng = random.Random(way.__name__)
    texts = []
    for number in range(20):
        item = ITEMS[number % len(ITEMS)]
        known = (item.answer, item.functions) if answers and way.__name__ != "trace_only" else ("", frozenset())
        texts.append(Text(f"{number}", way(item.text, world, rng), *known))
    missed = [text.text for text in texts if text.id not in reasons_of([text])]
    # A code prompt of a dozen words, half of it or renamed, is known only by its function's name.
    allowed = 0 if answers or way.__name__ not in ("truncated", "names", "several") else 1
    assert len(missed) <= allowed, missed


@pytest.mark.parametrize("text", CLEAN)
def test_a_clean_problem_stays(text):
    assert reasons_of([Text("clean", text)]) == {}


def test_long_clean_text_stays_though_it_speaks_of_everything():
    assert reasons_of([Text("long", "\n".join(CLEAN * 30))]) == {}


@pytest.mark.parametrize("template", ["What is {} + {}?", "Tom has {} apples and buys {} more. How many has Tom now?"])
def test_other_numbers_in_one_template_are_no_leak(template):
    items = [Item(name=str(i), text=template.format(i, i + 3), answer=str(2 * i + 3)) for i in range(10, 60)]
    others = [Text(str(i), template.format(i, i + 5), str(2 * i + 5)) for i in range(10, 60)]
    same = [Text(str(i), template.format(i, i + 3), str(2 * i + 3)) for i in range(10, 60)]
    assert reasons_of(others, items) == {}
    assert len(reasons_of(same, items)) == 50


def test_the_reason_shows_the_evidence():
    (reason,) = reasons_of([Text("t", "Hi! " + STORIES[8][0].upper() + " Thanks.", "24")]).values()
    assert reason.startswith("overlap and same answer: 1.00 of own/8: pia is 3 times as old as her brother leon in 8")


def test_the_same_answer_lowers_the_overlap_that_is_needed():
    half = STORIES[2][0][:45] + " Then she stops, and begins again on the first of May."
    assert reasons_of([Text("t", half, "10")]) == {}
    assert list(reasons_of([Text("t", half, "9")])) == ["t"]


def test_a_function_of_the_same_name_lowers_the_overlap_that_is_needed():
    text = "Rotate the border of a square matrix by one place, please, with lists."
    assert reasons_of([Text("t", text)]) == {}
    (reason,) = reasons_of([Text("t", text, names=frozenset(["rotateborder"]))]).values()
    assert reason.startswith("overlap and same function")


TASKS = [
    "find the largest number in a list",
    "count even numbers in a list",
    "reverse a string",
    "sort a list of tuples",
]
TASKS += ["remove all digits in a string", "join two lists of numbers", "count the vowels in a string", "split a list"]
TASKS += ["find even rows of a matrix", "check a string for digits", "remove even characters in a string"]


@pytest.mark.parametrize(("what", "num"), [("numbers from", 0), ("characters from", 1)])
def test_another_task_for_a_function_of_the_same_name_stays(what, num):
    name = frozenset(["removeeven"])
    items = [
        Item(name=task, text=f"Write a function to {task}.", functions=name if "remove even" in task else frozenset())
        for task in TASKS
    ]
    text = f"Write a python function to remove even {what} a given {'string' if num else 'list'}."
    assert len(reasons_of([Text("t", text, names=name)], items)) == num


@pytest.mark.parametrize(("old", "new"), [("sum", "division"), ("encoding", "modified encoding")])
def test_another_operation_in_the_same_words_is_another_task(old, new):
    item = Item(name="a", text="Write a function to find the sum of the run-length encoding of a list of words.")
    text = item.text.replace(old, new)
    assert list(reasons_of([Text("t", item.text)], [item, *ITEMS])) == ["t"]
    assert reasons_of([Text("t", text)], [item, *ITEMS]) == {}


def test_fixed_texts_are_not_judged():
    assert reasons_of([Text("t", STORIES[0][0], "35", fixed=True)]) == {}


def test_very_short_items_are_found_only_as_whole_texts():
    items = [Item(name="a", text="What is 2+2?", answer="4"), *ITEMS]
    assert list(reasons_of([Text("t", "what is 2 + 2")], items)) == ["t"]
    assert reasons_of([Text("t", "First I ask what is 2 + 2, because that helps with the longer sum.")], items) == {}


@pytest.mark.parametrize("item", ["", "?!", "x"])
def test_items_and_texts_with_next_to_nothing_in_them_are_no_trouble(item):
    texts = [Text("a", ""), Text("b", "…"), Text("c", "x y"), Text("d", STORIES[0][0])]
    assert reasons_of(texts, [Item(name="a", text=item)]) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [("repeated", "non-repeated"), ("largest", "smallest"), ("even", "odd"), ("ascending", "descending")],
)
def test_a_word_that_turns_the_question_round_acquits(one, other):
    template = "Write a function that lists the {} values of a given list of readings in the order in which they came."
    items = [Item(name="a", text=template.format(one)), *ITEMS]
    assert list(reasons_of([Text("t", template.format(one).upper())], items)) == ["t"]
    assert reasons_of([Text("t", template.format(other))], items) == {}
    assert reasons_of([Text("t", template.format(one))], [Item(name="a", text=template.format(other)), *ITEMS]) == {}
