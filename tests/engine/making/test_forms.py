"""How one correction is put, in three forms."""

import json

import pytest

from gradus.engine.making.forms import corrected_turns

FAILED = "One box holds 3 + 5 = 8 pens. Seven boxes hold 7 * 8 = 54 pens. The answer is 54."
KEPT, SHOWN = FAILED.index("Seven"), FAILED.index(" The answer")
SAID = {"role": "assistant", "content": "First wrong step: 2\nWhy: …", "reasoning": "The answer is given."}
LOCATED = {"step": 2, "kept": KEPT, "shown": SHOWN, "why": "It is 56.", "text": "7 * 8 = 56. The answer is 56."}
WHOLE = {"step": None, "kept": 0, "shown": 0, "why": "", "text": "7 * 8 = 56."}


def turns(form, revised, said=SAID):
    row = {"failed_answer": FAILED, "messages": json.dumps([{"role": "user", "content": "?"}, said]), **revised}
    return corrected_turns(row, form, feedback="Wrong.", notice="Wait.")


def test_one_turn_goes_on_from_the_wrong_step():
    (turn,) = turns("continue", LOCATED)
    assert turn["content"][: turn["given"]] == FAILED[:SHOWN]
    assert turn["content"][turn["given"] :] == " Wait. It is 56. 7 * 8 = 56. The answer is 56."
    assert turn["role"] == "assistant"


def test_after_the_failed_answer_comes_the_whole_right_one():
    wrong, remark, right = turns("after", LOCATED)
    assert (wrong["content"], remark) == (FAILED, {"role": "user", "content": "Wrong."})
    assert right == {
        "role": "assistant",
        "content": "It is 56.\n\nOne box holds 3 + 5 = 8 pens. 7 * 8 = 56. The answer is 56.",
    }


def test_alone_stands_the_right_answer():
    assert turns("alone", LOCATED) == (
        {"role": "assistant", "content": "One box holds 3 + 5 = 8 pens. 7 * 8 = 56. The answer is 56."},
    )


@pytest.mark.parametrize("form", ["after", "continue"])
def test_what_names_no_step_cannot_be_continued(form):
    assert [turn["role"] for turn in turns(form, WHOLE)] == ["assistant", "user", "assistant"]
    assert turns(form, WHOLE)[-1] == SAID


def test_alone_may_stand_what_names_no_step():
    assert turns("alone", WHOLE) == (SAID,)
