"""The replay teacher says what its file says."""

import pytest

from gradus.engine.teachers.base import Request, SamplingConfig, TeacherConfig, open_teacher, teachers
from gradus.errors import ConfigError, DataError


def request(ask, seed=0):
    return Request(messages=({"role": "user", "content": ask},), sampling=SamplingConfig(), seed=seed)


def test_the_seed_picks_the_answer(recorded):
    teacher = recorded({"a": ["one", "two", "three"]})
    found = [completion.text for _, completion in teacher.answer([request("a", seed) for seed in range(4)])]
    assert found == ["one", "two", "three", "one"]


def test_every_request_is_answered_once(recorded):
    teacher = recorded({"a": ["one"], "b": ["two words"]})
    found = dict(teacher.answer([request("b"), request("a"), request("b")]))
    assert {index: completion.text for index, completion in found.items()} == {0: "two words", 1: "one", 2: "two words"}
    assert len(found[0].token_ids) == len(found[0].token_logprobs) == 2


def test_what_was_not_recorded_is_named(recorded):
    with pytest.raises(DataError, match="nothing recorded for 'b'"):
        list(recorded({"a": ["one"]}).answer([request("b")]))


def test_another_recording_is_another_model(recorded):
    assert recorded({"a": ["one"]}).model_id != recorded({"a": ["two"]}).model_id


def test_a_recording_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no such recording"):
        open_teacher(TeacherConfig(kind="replay", model="nowhere.jsonl"))


@pytest.mark.parametrize("line", ["{", '"text"', '{"ask": "a"}', '{"ask": "a", "answers": []}'])
def test_a_bad_line_is_one_clear_error(tmp_path, line):
    path = tmp_path / "bad.jsonl"
    path.write_text(f'{{"ask": "b", "answers": ["c"]}}\n{line}\n')
    with pytest.raises(Exception, match="line 2") as error:
        list(open_teacher(TeacherConfig(kind="replay", model=str(path))).answer([request("a")]))
    assert isinstance(error.value, DataError)


def test_an_unknown_teacher_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"no teacher 'oracle'\. Known: .*replay.*vllm"):
        open_teacher(TeacherConfig(kind="oracle"))


def test_a_recording_has_no_weights(recorded):
    with pytest.raises(DataError, match="no weights"):
        recorded({"a": ["b"]}).load_weights("folder")


@pytest.mark.parametrize("name", ["replay", "vllm"])
def test_a_teacher_is_identified_without_being_opened(name):
    assert callable(teachers[name].identify)
