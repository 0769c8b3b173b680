"""A reply is taken apart however it is decorated; anything else is none."""

import pytest

from gradus.engine.making.reply import REPLY_FORM, Reply, read_reply

WANTED = Reply(2, "7 times 8 is 56.", "7 * 8 = 56.\nThe answer is 56.")


@pytest.mark.parametrize(
    "answer",
    [
        "First wrong step: 2\nWhy: 7 times 8 is 56.\nContinuation: 7 * 8 = 56.\nThe answer is 56.",
        "**First wrong step:** 2\n**Why:** 7 times 8\nis 56.\n\n**Continuation:**\n7 * 8 = 56.\nThe answer is 56.\n",
        "Well.\n### First wrong step: Step 2.\nWhy: 7 times 8 is 56.\nContinuation:\n\n7 * 8 = 56.\nThe answer is 56.",
        "first wrong step: 2 (the product)\nwhy: 7 times 8 is 56.\ncontinuation: 7 * 8 = 56.\nThe answer is 56.",
    ],
)
def test_a_reply_is_read(answer):
    assert read_reply(answer) == WANTED


@pytest.mark.parametrize(
    "answer",
    ["First wrong step: 2\nThe answer is 56.", "First wrong step: 2\nWhy: I slipped.", "First wrong step: none"],
)
def test_a_broken_reply_names_no_step(answer):
    assert read_reply(answer).step == 0


@pytest.mark.parametrize("answer", ["", "7 * 8 = 56.", "The first wrong step was silly: I know why."])
def test_an_answer_is_no_reply(answer):
    assert read_reply(answer) is None


def test_the_form_that_is_asked_for_can_be_read():
    assert read_reply(REPLY_FORM.replace("its number", "3")).step == 3
