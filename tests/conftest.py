"""A small world for every test: a tiny student, a recording of what it said, and a workspace made of both.

Problem i asks for i + (i + 1). The student's recording answers i % 5 of its four attempts right, so that
difficulty spreads over 0, 1/4, 1/2, 3/4 and 1; the last answer of every tenth problem has no number at all.
"""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

# One thread a process, those that tests start included: pytest has a process for every core, and for products as
# small as here several threads mostly wait for each other. Set before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch

if not torch.cuda.is_available():
    # Kernels run in Triton's interpreter: set before any of them is imported.
    os.environ["TRITON_INTERPRET"] = "1"

from gradus.api import steps
from gradus.curricula.recipe import Recipe, load_recipe
from gradus.engine.answers import Listed, Sink, sample
from gradus.engine.models import model_id
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, Attempt, JudgedAttempt, Problem
from gradus.engine.spending import open_purse
from gradus.engine.store import open_store
from gradus.engine.teachers.base import TeacherConfig, open_teacher, teachers
from gradus.engine.teachers.replay import ReplayTeacher
from gradus.engine.unmade import Chosen
from gradus.engine.workspace import Workspace

NUM_PROBLEMS = 40
NUM_HELDOUT = 5
# As SmolLM2-135M-Instruct has it, system prompt included.
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = ["What is the sum of a number and another one? The answer is wrong, not correct. Try again.", "123 + 45 = 168."]
RECIPE = """
name = "small"
student = "{student}"

[teacher]
kind = "recorded-student"
model = "{recording}"
options.student = "{student}"

[sample]
num_attempts = 4

[correct]
failures_per_problem = 1

[correct.domains.math]
ask = "{{prompt}} Wrong: {{answer}} {{hint}}"
hint = "It is {{expected}}."

[[stages]]
name = "foundation"
context_length = 192
token_budget = 4000
mixture = {{ "math/cot" = 1.0 }}

[[stages]]
name = "correction"
context_length = 256
token_budget = 6000
mixture = {{ "*/correction" = 2.0, "*/cot" = 1.0 }}

[rl]
band = [0.2, 0.8]
quotas = {{ math = 2 }}
group_size = 4
"""


@teachers.register("recorded-student")
class RecordedStudent(ReplayTeacher):
    """A recording of the student: what it says counts as said by the student's own weights."""

    @staticmethod
    def identify(config):
        return model_id(Path(config.options["student"]))


@dataclass(frozen=True)
class World:
    """Where the things of one workspace are."""

    workspace: Workspace
    recipe_path: Path
    corrections: Path
    student: str

    @property
    def recipe(self) -> Recipe:
        return load_recipe(str(self.recipe_path))

    @property
    def teacher(self) -> tuple[str, ...]:
        """Overrides for the teacher who corrects."""
        return ("teacher.kind=replay", f"teacher.model={self.corrections}")

    def step(self, *argv: str) -> list[str]:
        """Return the command line of one step in this workspace."""
        return [*argv, "--workspace", str(self.workspace.root)]


def make_problems() -> list[Problem]:
    """Return the problems; the last five are held out."""
    first_heldout = NUM_PROBLEMS - NUM_HELDOUT
    return [
        Problem(
            prompt=f"What is {i} + {i + 1}?",
            domain="math",
            verifier="math",
            spec={"expected": str(2 * i + 1)},
            source="world",
            tags=(HELDOUT,) if i >= first_heldout else (),
        )
        for i in range(NUM_PROBLEMS)
    ]


def said(i: int) -> list[str]:
    """Return the four answers that the student gives to problem i, i % 5 of them right."""
    right = [f"{'Well, ' * j}{i} + {i + 1} = {2 * i + 1}. The answer is {2 * i + 1}." for j in range(i % 5)]
    wrong = [f"The answer is {2 * i + 2 + j}." for j in range(4 - len(right))]
    if i % 10 == 0:
        wrong[-1] = "I do not know."
    return right + wrong


def write_lines(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_recording(path: Path) -> Path:
    return write_lines(path, ({"ask": f"What is {i} + {i + 1}?", "answers": said(i)} for i in range(NUM_PROBLEMS)))


def make_corrections(path: Path) -> Path:
    """Record a teacher who corrects the even problems and is wrong on the odd ones."""
    rows = []
    for i in range(NUM_PROBLEMS):
        answer = f"{i} + {i + 1} = {2 * i + 1}. The answer is {2 * i + 1}." if i % 2 == 0 else "The answer is 0.5."
        for failed in set(said(i)):
            ask = f"What is {i} + {i + 1}? Wrong: {failed} It is {2 * i + 1}."
            rows.append({"ask": ask, "answers": [answer]})
    return write_lines(path, rows)


@pytest.fixture(scope="session")
def student(tmp_path_factory) -> Path:
    """Return a folder with a Llama of 2 layers and a byte-level tokenizer that speaks SmolLM2's chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(WORDS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=320, eos_token_id=2, **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture
def problems() -> list[Problem]:
    return make_problems()


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> Workspace:
    """Return a workspace whose database has every table and no row. Only to be copied: to migrate takes time."""
    workspace = Workspace.create(tmp_path_factory.mktemp("empty") / "workspace")
    with open_store(workspace):
        pass
    return workspace


@pytest.fixture
def workspace(empty, tmp_path) -> Workspace:
    """Return a workspace that holds nothing and has shown nothing yet."""
    made = Workspace.create(tmp_path / "workspace")
    shutil.copyfile(empty.database, made.database)
    return made


@pytest.fixture(scope="session")
def untouched(tmp_path_factory) -> Workspace:
    """Return a workspace with problems and nothing else. Only to be copied."""
    workspace = Workspace.create(tmp_path_factory.mktemp("untouched") / "workspace")
    steps.add_problems(workspace, make_problems(), "world")
    return workspace


@pytest.fixture(scope="session")
def new_world(student, untouched):
    """Make a workspace under a folder, with problems and nothing else, and the recipe and recordings beside it."""

    def make(folder: Path) -> World:
        recipe = folder / "small.toml"
        recording = make_recording(folder / "student.jsonl")
        recipe.write_text(RECIPE.format(student=student, recording=recording))
        corrections = make_corrections(folder / "corrections.jsonl")
        workspace = copy_of(untouched, folder / "workspace")
        return World(workspace, recipe, corrections, model_id(student))

    return make


def copy_of(workspace: Workspace, folder: Path) -> Workspace:
    """Return a copy that a test may change."""
    shutil.copytree(workspace.root, folder, symlinks=True)
    return Workspace.find(folder)


@pytest.fixture
def world(new_world, tmp_path) -> World:
    return new_world(tmp_path)


@pytest.fixture(scope="session")
def finished(new_world, tmp_path_factory) -> World:
    """Return a workspace that went through every step, held-out problems attempted too. Only to be read."""
    world = new_world(tmp_path_factory.mktemp("finished"))
    recipe = world.recipe
    steps.sample(world.workspace, recipe)
    with world.workspace.writing():
        with open_store(world.workspace) as store:
            asks = list(Chosen(store, "true").unmade(recipe.sample, world.student))
        purse = open_purse(world.workspace.root, "heldout", world.student)
        sample(
            Listed(asks, left=len(asks)),
            open_teacher(recipe.teacher),
            Sink(world.workspace.parts, "heldout"),
            purse=purse,
        )
    steps.judge(world.workspace, workers=1)
    steps.score(world.workspace)
    steps.correct(world.workspace, load_recipe(str(world.recipe_path), world.teacher), workers=1)
    steps.build(world.workspace, recipe)
    return world


@pytest.fixture
def spoilable(finished, tmp_path) -> World:
    """Return a copy of the finished workspace that a test may change."""
    return replace(finished, workspace=copy_of(finished.workspace, tmp_path / "workspace"))


def attempts(problem, model, num, *, sampler):
    """Return a model's attempts at a problem."""
    turns = ({"role": "user", "content": problem.prompt}, {"role": "assistant", "content": "1"})
    made = {"sampling": {}, "seed": 0, "tokens_in": 1, "seconds": 0.0, "finish_reason": "stop"}
    said = {"messages": turns, "token_ids": (1,), "token_logprobs": (0.0,)}
    who = {"problem_id": problem.id, "model_id": model, "sampler": sampler}
    return [Attempt(index=index, **who, **said, **made) for index in range(num)]


@pytest.fixture
def tried(workspace):
    """Return a function that puts problems into the workspace, and for each how often a model passed of how often."""

    def put(problems, counts, *, model="pupil", sampler="plain", at=workspace):
        made, judged = [], []
        for problem, (num_passed, num) in zip(problems, counts, strict=True):
            some = attempts(problem, model, num, sampler=sampler)
            made += some
            for index, one in enumerate(some):
                outcome = "pass" if index < num_passed else "fail"
                said = {"verifier": problem.verifier, "version": "1", "score": 1.0, "reason": "", "seconds": 0.0}
                judged.append(JudgedAttempt(attempt_id=one.id, outcome=outcome, **said))
        for some in (list(problems), made, judged):
            if some:
                write_part(at.parts, "test", some)

    return put


@pytest.fixture
def recorded(tmp_path):
    """Return a function that opens a replay teacher on a dict of ask to answers."""

    def make(answers: dict[str, list[str]]):
        path = write_lines(tmp_path / "recorded.jsonl", ({"ask": a, "answers": b} for a, b in answers.items()))
        return open_teacher(TeacherConfig(kind="replay", model=str(path)))

    return make
