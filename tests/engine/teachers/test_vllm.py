"""The real engine with the real small model: minutes, so slow."""

import multiprocessing
import shutil

import pytest

from gradus.engine.models import default_model, model_id
from gradus.engine.teachers.base import Request, SamplingConfig, TeacherConfig, open_teacher

pytestmark = pytest.mark.slow
ASKS = ("What is 3 + 4?", "Name a colour.", "Write a Python function double(n) that returns two times n.")


def answers(opened, loaded, connection):
    """Answer with the weights of one folder, or with another's loaded afterwards; run in a process of its own."""
    teacher = open_teacher(TeacherConfig(model=opened, max_context=256))
    if loaded:
        teacher.load_weights(loaded)
    sampling = SamplingConfig(max_tokens=8)
    requests = [Request(messages=({"role": "user", "content": ask},), sampling=sampling, seed=1) for ask in ASKS]
    found = sorted(teacher.answer(requests), key=lambda pair: pair[0])
    connection.send((teacher.model_id, [(c.text, c.token_ids, c.token_logprobs) for _, c in found]))
    teacher.close()


def ask(opened, loaded=None):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=answers, args=(str(opened), loaded and str(loaded), theirs))
    process.start()
    theirs.close()  # a process that dies then ends the wait
    result = ours.recv()
    process.join()
    return result


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The default model with every matrix a little larger: the tied embedding too."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("model") / "other"
    shutil.copytree(default_model(), folder)
    weights = load_file(folder / "model.safetensors")
    save_file({name: 1.02 * w for name, w in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_the_same_request_gets_the_same_answer_with_token_ids_and_log_probabilities():
    first, second = ask(default_model()), ask(default_model())
    assert first == second
    for text, token_ids, logprobs in first[1]:
        assert text
        assert len(token_ids) == len(logprobs)
        assert all(p <= 0 for p in logprobs)


def test_weights_loaded_into_an_open_engine_answer_as_if_opened_with_them(other):
    before, (name, fresh), (loaded_name, loaded) = ask(default_model()), ask(other), ask(default_model(), other)
    assert before[1] != fresh
    assert name == loaded_name == model_id(other)
    for (_, want_ids, want), (_, got_ids, got) in zip(fresh, loaded, strict=True):
        assert got_ids == want_ids
        assert got == pytest.approx(want, abs=1e-4)
