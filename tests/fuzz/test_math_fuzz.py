"""The mathematics verifier on random answers. `make fuzz` looks for longer: GRADUS_FUZZ_EXAMPLES says how many."""

import os
import random

import formulas
import laws
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SMALL = settings(
    max_examples=int(os.environ.get("GRADUS_FUZZ_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
draws = st.randoms(use_true_random=False)


@SMALL
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(formulas.TOKENS), max_size=40).map("".join)))
def test_any_text_is_read_or_refused(text):
    laws.any_text_is_read_or_refused(text)


@SMALL
@given(draws)
def test_any_answer_is_judged(draw):
    expected = formulas.answer(draw)
    laws.any_pair_is_judged(formulas.mutated(draw, expected), expected)
    laws.any_pair_is_judged(formulas.answer(draw), expected)


@SMALL
@given(draws)
def test_one_more_than_an_expression_never_passes_for_it(draw):
    laws.one_more_never_passes(formulas.expression(draw))


@SMALL
@given(draws)
def test_an_expression_never_fails_for_itself(draw):
    laws.itself_never_fails(formulas.expression(draw))


@SMALL
@given(draws)
def test_a_changed_formula_passes_only_where_its_values_agree(draw):
    laws.a_changed_formula_passes_only_where_its_values_agree(draw)


@pytest.mark.parametrize("seed", range(3))
def test_bytes_steer_what_is_drawn(seed):
    data = random.Random(seed).randbytes(400)
    first, again = (formulas.expression(formulas.ByteSource(data)) for _ in range(2))
    assert first == again
    assert formulas.expression(formulas.ByteSource(b"")) == "0"
