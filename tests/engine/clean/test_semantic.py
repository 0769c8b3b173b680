"""A problem told again in other words is known by its numbers, its answer and its story."""

import pytest

from gradus.engine.clean.semantic import SemanticConfig, drop_retold
from gradus.engine.clean.texts import Text

PENS = "A shop sells pens for $2 each. Mia buys 7 pens and pays with a $20 bill. How much change does she get?"
PENS_AGAIN = "Pens cost $2 apiece in a shop. Mia takes 7 pens and hands over a $20 bill. What change is she owed?"
SAVING = "Lena saves 10 euros each month for 12 months. How much has she saved?"
SAVING_AGAIN = "Putting aside 10 euros monthly, what has Lena saved after 12 months?"
BUS = "A bus makes 10 trips a day for 12 days. How many trips does it make?"
OTHERS = [
    Text(f"other{i}", f"There are {i} birds on the {place} and {i + 3} of them fly away when the {thing} comes.", "x")
    for i, (place, thing) in enumerate([("roof", "cat"), ("lawn", "car"), ("mast", "ship"), ("wire", "storm")] * 25)
]  # fmt: skip


def clean(*texts):
    every = [*OTHERS, *texts]
    reasons = {}
    kept = [t.id for t in drop_retold(lambda: iter(every), SemanticConfig(), drop=reasons.__setitem__)]
    assert len(kept) + len(reasons) == len(every)
    return reasons


@pytest.mark.parametrize(("one", "other"), [(PENS, PENS_AGAIN), (SAVING, SAVING_AGAIN)])
def test_the_same_story_is_dropped_with_its_likeness(one, other):
    reasons = clean(Text("a", one, "120"), Text("b", other, "120"))
    assert list(reasons) == ["b"]
    assert reasons["b"].startswith("retold: same numbers and answer, 0.")
    assert reasons["b"].endswith("to a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Text("a", SAVING, "120"), Text("b", BUS, "120")),
        (Text("a", PENS, "6"), Text("b", PENS_AGAIN, "8")),
        (Text("a", PENS, ""), Text("b", PENS_AGAIN, "")),
        (Text("a", PENS, "6"), Text("b", PENS_AGAIN.replace("7", "8"), "6")),
        (Text("a", PENS, "6", fixed=True), Text("b", PENS_AGAIN, "6", fixed=True)),
    ],
    ids=["another story", "another answer", "no answer", "other numbers", "held out"],
)
def test_what_may_be_another_problem_stays(one, other):
    assert clean(one, other) == {}


def test_nothing_in_nothing_out():
    assert list(drop_retold(list, SemanticConfig(), drop=lambda *_: None)) == []
