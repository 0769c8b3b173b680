"""How many requests are let out follows what the server can take."""

import time

from gradus.engine.teachers.pace import FIRST, Pace


def answer(pace, times):
    for _ in range(times):
        pace.sent(int(pace.limit))
        pace.answered(time.monotonic())


def test_the_limit_grows_until_the_most_while_nothing_pushes_back():
    pace = Pace(1000, slow_s=10.0)
    answer(pace, FIRST)
    assert pace.limit == 2 * FIRST
    answer(pace, 2000)
    assert pace.limit == 1000


def test_the_limit_does_not_grow_while_it_is_not_what_holds_requests_back():
    pace = Pace(1000, slow_s=10.0)
    for _ in range(100):
        pace.sent(5)
        pace.answered(time.monotonic())
    assert pace.limit == FIRST


def test_one_round_trip_cuts_once_and_growth_is_slow_from_there():
    pace = Pace(1000, slow_s=10.0)
    sent = time.monotonic()
    for _ in range(20):
        pace.pushed_back(sent)
    assert pace.limit == FIRST * 0.67
    answer(pace, 20)
    assert abs(pace.limit - (FIRST * 0.67 + 1)) < 1e-6


def test_the_next_round_trip_may_cut_again_but_one_request_always_goes():
    pace = Pace(1000, slow_s=10.0)
    for _ in range(50):
        pace.pushed_back(time.monotonic())
    assert pace.limit == 1
    assert pace.room(in_flight=0) == 1


def test_a_server_whose_answers_are_late_on_the_whole_is_sent_less():
    pace = Pace(1000, slow_s=1.0)
    for _ in range(5):
        pace.waited(time.monotonic() - 10.0)
    assert pace.limit == FIRST * 0.67


def test_a_single_late_answer_is_no_sign():
    pace = Pace(1000, slow_s=1.0)
    pace.answered(time.monotonic() - 10.0)
    pace.waited(time.monotonic() - 10.0)
    assert pace.limit == FIRST


def test_nothing_goes_while_the_server_wants_to_be_left_alone():
    pace = Pace(10, slow_s=10.0)
    pace.pushed_back(time.monotonic(), 0.05)
    time.sleep(0.06)
    assert pace.room(in_flight=0) > 0
    pace.pushed_back(time.monotonic(), 60.0)
    assert pace.room(in_flight=0) == 0
