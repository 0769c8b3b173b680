"""The sandbox's two decoders on random input: nothing that a program sends may crash or hold its judge."""

import json
import os

import laws
from hypothesis import given, settings
from hypothesis import strategies as st

SMALL = settings(max_examples=int(os.environ.get("GRADUS_FUZZ_EXAMPLES", "300")), deadline=None)
scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary()),
)
keys = st.one_of(st.integers(), st.text(), st.binary(), st.tuples(st.integers(), st.text()), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        *(st.lists(inner), st.tuples(inner, inner), st.dictionaries(keys, inner)),
        *(st.sets(keys, max_size=1), st.frozensets(keys, max_size=1)),
    ),
    max_leaves=12,
)
jsons = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["0x1p9999", "-0x", "zz"])
    ),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.text(), inner),
        st.tuples(st.sampled_from(["int", "float", "complex", "bytes", "set", "dict", "tuple", "None", "str"]), inner),
    ),
)


@SMALL
@given(st.binary())
def test_any_bytes_are_a_frame_or_refused(data):
    laws.any_bytes_are_a_frame_or_refused(data)
    laws.any_bytes_are_a_frame_or_refused(laws.framed(data))


@SMALL
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.lists(st.booleans()))))
def test_a_frame_comes_back(message):
    laws.a_frame_comes_back(message)


@SMALL
@given(jsons)
def test_any_json_is_plain_or_refused(value):
    laws.any_json_is_plain_or_refused(json.dumps(value))


@SMALL
@given(values)
def test_plain_data_comes_back(value):
    laws.plain_data_comes_back(value)


def test_deep_nesting_is_refused_not_followed():
    for text in ("[" * 100_000, '["list",[' * 5_000 + "]]" * 5_000):
        laws.any_json_is_plain_or_refused(text)
        laws.any_bytes_are_a_frame_or_refused(laws.framed(text.encode()))
