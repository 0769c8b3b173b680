"""Answers are kept across runs and processes, and never paid for twice."""

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula.recipe import load_recipe
from gradus.engine.answers import Listed, Sink, sample
from gradus.engine.cache import ResponseCache, key_of, pack, unpack
from gradus.engine.cached_teacher import CachedTeacher
from gradus.engine.sample import Ask
from gradus.engine.spending import open_purse
from gradus.engine.store import open_snapshot
from gradus.engine.teachers.base import Completion, Refusal, Request, SamplingConfig
from gradus.engine.teachers.replay import ReplayTeacher
from gradus.errors import ConfigError, WorkspaceError

ANSWER = Completion(
    text='4 ünï"\n🙂',
    token_ids=(1, 2, 3),
    token_logprobs=(-0.1, -1e-9, -12.345678901234567),
    prompt_token_ids=(7, 8),
    finish_reason="stop",
    seconds=0.25,
    reasoning="2 and 2",
    counted=(2, 3),
)


def request(text="a", seed=0, **sampling):
    return Request(messages=({"role": "user", "content": text},), sampling=SamplingConfig(**sampling), seed=seed)


@pytest.fixture
def cache(tmp_path):
    with closing(ResponseCache(tmp_path / "cache")) as opened:
        yield opened


def test_an_answer_comes_back_as_it_was_but_marked(cache):
    key = key_of("m", request())
    assert cache.get(key) is None
    cache.put("m", [(key, ANSWER)])
    assert cache.get(key) == replace(ANSWER, cached=True)


@pytest.mark.parametrize(
    ("model", "other"),
    [
        ("n", request()),
        ("m", request("b")),
        ("m", request(seed=1)),
        ("m", request(temperature=0.1)),
        ("m", request(stop=("x",))),
        ("m", request(max_tokens=1)),
        ("m", replace(request(), messages=({"role": "system", "content": "a"},))),
    ],
)
def test_whatever_the_answer_depends_on_is_in_the_key(model, other):
    assert key_of(model, other) != key_of("m", request())


def test_the_first_answer_stays(cache):
    key = key_of("m", request())
    cache.put("m", [(key, ANSWER)])
    cache.put("m", [(key, replace(ANSWER, text="another"))])
    assert cache.get(key).text == ANSWER.text


def test_a_damaged_answer_is_as_good_as_none(cache):
    key = key_of("m", request())
    cache.put("m", [(key, ANSWER)])
    with closing(sqlite3.connect(cache.path)) as other, other:
        other.execute("UPDATE answers SET answer = zeroblob(40)")
    assert cache.get(key) is None
    cache.put("m", [(key, ANSWER)])
    assert cache.get(key) == replace(ANSWER, cached=True)


def test_packing_loses_nothing():
    assert unpack(pack(ANSWER)) == replace(ANSWER, cached=True)


def test_a_file_that_is_no_cache_is_named(tmp_path):
    (tmp_path / "answers.sqlite").write_text("not a database, whatever it looks like" * 100)
    with pytest.raises(WorkspaceError, match=r"answers\.sqlite: cannot be opened"):
        ResponseCache(tmp_path)


def fill(folder, first, count):
    with closing(ResponseCache(folder)) as cache:
        for i in range(first, first + count):
            cache.put("m", [(key_of("m", request(seed=i)), replace(ANSWER, text=str(i)))])


def test_several_processes_write_at_once(tmp_path, cache):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=fill, args=(tmp_path / "cache", 150 * i, 200)) for i in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert cache.stats()["answers"] == 500  # of 600, a hundred twice
    assert all(cache.get(key_of("m", request(seed=i))).text == str(i) for i in range(500))


WRITER = """
    import sys
    from dataclasses import replace
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from test_cache import ANSWER, key_of, request
    from gradus.engine.cache import ResponseCache

    cache = ResponseCache(Path(sys.argv[1]))
    for i in range(10**9):
        cache.put("m", [(key_of("m", request(seed=i)), replace(ANSWER, text=str(i)))])
        print(i, flush=True)
"""


def test_what_was_put_before_a_kill_is_there(tmp_path, request_folder):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path), request_folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(200):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[0].split()
    last = int(said[-1]) if said else last
    with closing(ResponseCache(tmp_path)) as cache:
        assert all(cache.get(key_of("m", request(seed=i))).text == str(i) for i in range(last + 1))
        assert cache.stats()["answers"] in (last + 1, last + 2)


@pytest.fixture
def request_folder():
    from pathlib import Path

    return str(Path(__file__).parent)


def filled(cache, now=None):
    """Put ten answers of two models, a day apart each, the newest now."""
    for i in range(10):
        model = "mn"[i % 2]
        cache.put(model, [(key_of(model, request(seed=i)), replace(ANSWER, text=str(i)))])
    with closing(sqlite3.connect(cache.path)) as other, other:
        other.execute("UPDATE answers SET made = $now - (10 - number) * 86400", {"now": now or time.time()})


def left(cache):
    return [i for i in range(10) if cache.get(key_of("mn"[i % 2], request(seed=i)))]


@pytest.mark.parametrize(
    ("limits", "kept", "dropped"),
    [
        ({"model": "m"}, [1, 3, 5, 7, 9], {"model": 5}),
        ({"model": "nobody"}, list(range(10)), {"model": 0}),
        ({"older_than_s": 3.5 * 86400}, [6, 7, 8, 9], {"older": 6}),
        ({"older_than_s": 3.5 * 86400, "model": "n"}, [0, 2, 4, 6, 7, 8, 9], {"older": 3}),
        ({"max_bytes": 3.5}, [7, 8, 9], {"size": 7}),
        ({"max_bytes": 1.5, "model": "m"}, [1, 3, 5, 7, 8, 9], {"size": 4}),
        ({"max_bytes": 0}, [], {"size": 10}),
        ({"older_than_s": 5.5 * 86400, "max_bytes": 2.5}, [8, 9], {"older": 4, "size": 4}),
    ],
)
def test_pruning_drops_what_it_says(cache, limits, kept, dropped):
    filled(cache)
    one = cache.stats()["models"][0]["size_bytes"] / 5
    if limits.get("max_bytes"):
        limits = limits | {"max_bytes": int(limits["max_bytes"] * one)}
    found = cache.prune(**{"model": None, "older_than_s": None, "max_bytes": None, **limits})
    assert found == {"in": 10, "kept": len(kept), "dropped": dropped}
    assert left(cache) == kept


def test_pruning_gives_space_back(cache):
    many = [(key_of("m", request(seed=i)), replace(ANSWER, token_ids=tuple(range(i, i + 2000)))) for i in range(300)]
    cache.put("m", many)
    before = cache.path.stat().st_size + cache.path.with_name(cache.path.name + "-wal").stat().st_size
    cache.prune(model="m", older_than_s=None, max_bytes=None)
    assert cache.path.stat().st_size < before / 10


def test_pruning_by_nothing_is_refused(cache):
    with pytest.raises(ConfigError, match="nothing to prune by"):
        cache.prune(model=None, older_than_s=None, max_bytes=None)


class Counting(ReplayTeacher):
    """A recording that counts what it is asked, and refuses one thing."""

    def __init__(self):
        from collections import deque

        self.model_id, self.asked, self.opened, self._asked = "m", [], 0, deque()

    @contextmanager
    def opening(self):
        self.opened += 1
        yield self

    def collect(self, timeout_s):  # noqa: ARG002
        found = []
        while self._asked:
            name, wanted = self._asked.popleft()
            text = wanted.messages[-1]["content"]
            self.asked.append((text, wanted.seed))
            found.append(
                (name, Refusal("no", final=True) if text == "no" else replace(ANSWER, text=f"{text}{wanted.seed}"))
            )
        return found


def answered(teacher, requests):
    for name, one in enumerate(requests):
        teacher.submit(name, one)
    found = {}
    while len(found) < len(requests):
        found |= dict(teacher.collect(1.0))
    return found


class Narrow(Counting):
    """Takes two requests at a time."""

    most = 0

    @property
    def room(self):
        return 2 - len(self._asked)

    def submit(self, name, request):
        super().submit(name, request)
        self.most = max(self.most, len(self._asked))


def test_a_cold_cache_does_not_hide_how_little_room_there_is(cache, tmp_path):
    inner = Narrow()
    asks = [
        Ask(problem_id="p", messages=request("a").messages, sampler="s", sampling=SamplingConfig(), seed=i, index=i)
        for i in range(10)
    ]
    with closing(CachedTeacher(cache, "m", inner.opening())) as teacher:
        purse = open_purse(tmp_path, "r", "m")
        result = sample(Listed(asks, left=10), teacher, Sink(tmp_path, "r"), purse=purse)
        assert (result.made, inner.most) == (10, 2)
        assert len(dict(teacher.answer([request("b", seed) for seed in range(10)]))) == 10
    assert inner.most == 2


def test_a_request_is_asked_once_ever(cache):
    inner = Counting()
    requests = [request(t, s) for t in "ab" for s in (0, 1)]
    for run in range(2):
        with closing(CachedTeacher(cache, "m", inner.opening())) as teacher:
            found = answered(teacher, requests)
        assert [found[i].text for i in range(4)] == ["a0", "a1", "b0", "b1"]
        assert [found[i].cached for i in range(4)] == [run == 1] * 4
    assert sorted(inner.asked) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert inner.opened == 1  # the second run had nothing to ask


def test_the_same_request_in_flight_twice_is_paid_once(cache):
    inner = Counting()
    with closing(CachedTeacher(cache, "m", inner.opening())) as teacher:
        found = answered(teacher, [request(), request(), request()])
    assert len(inner.asked) == 1
    assert [found[i].cached for i in range(3)] == [False, True, True]


def test_a_refusal_is_not_kept(cache):
    inner = Counting()
    for _ in range(2):
        with closing(CachedTeacher(cache, "m", inner.opening())) as teacher:
            assert isinstance(answered(teacher, [request("no")])[0], Refusal)
    assert len(inner.asked) == 2


def test_another_model_is_asked_anew(cache):
    inner = Counting()
    for model in "mn":
        with closing(CachedTeacher(cache, model, inner.opening())) as teacher:
            answered(teacher, [request()])
    assert len(inner.asked) == 2


def attempts(world):
    with open_snapshot(world.workspace) as store:
        return store.rows("SELECT * FROM attempts ORDER BY id")


@pytest.fixture
def paid(monkeypatch):
    """Make the recording of tests/conftest.py a teacher whose answers are worth keeping."""
    from gradus.engine.teachers.base import teachers

    monkeypatch.setattr(teachers["recorded-student"], "costly", True)


def test_another_workspace_that_shares_the_cache_pays_nothing(new_world, tmp_path, paid):
    shared = [f"cache.folder={tmp_path / 'shared'}"]
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        world = new_world(tmp_path / name)
        counts = steps.sample(world.workspace, load_recipe(str(world.recipe_path), shared))
        assert counts["made"] == 140
        made.append((counts["spent"], attempts(world)))
    assert (made[0][0]["answers"], made[0][0]["cached"]) == (140, 0)
    assert (made[1][0]["answers"], made[1][0]["cached"], made[1][0]["tokens_out"]) == (0, 140, 0)
    assert made[0][1] == made[1][1]


def test_a_cache_can_be_done_without(world, paid):
    steps.sample(world.workspace, load_recipe(str(world.recipe_path), ["cache.use=false"]))
    assert not list((world.workspace.root / "cache").iterdir())


def test_the_command_counts_and_prunes(world, paid, capsys):
    steps.sample(world.workspace, world.recipe)
    where = ["--recipe", str(world.recipe_path), "--workspace", str(world.workspace.root)]
    assert main(["cache", "stats", *where]) == 0
    out = capsys.readouterr().out
    assert out.startswith("140 answers")
    assert world.student[:20] in out
    assert main(["cache", "prune", "--model", world.student, "--json", *where]) == 0
    assert capsys.readouterr().out.strip() == '{"in": 140, "kept": 0, "dropped": {"model": 140}}'
    assert main(["cache", "prune", *where]) == 2
    assert main(["cache", "stats", "--max-size", "1GB", *where]) == 2


@pytest.mark.parametrize("flag", [("--older-than", "soon"), ("--max-size", "much")])
def test_a_limit_that_makes_no_sense_is_refused(world, capsys, flag):
    with pytest.raises(SystemExit):
        main(["cache", "prune", *flag, "--workspace", str(world.workspace.root)])
    assert "is not a" in capsys.readouterr().err
