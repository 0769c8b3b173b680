"""Schemathesis asks every operation of the OpenAPI document what fits and what does not: `make rest-fuzz`.

No answer may be a 500, or have a status, header, content type or body that the document does not name; what does not
fit the document must be refused; and a refusal has the one shape. `gradus serve` answers, and every job or run that a
request starts is cancelled within seconds. GRADUS_REST_SEED repeats a run, GRADUS_REST_EXAMPLES makes a longer one.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread

import pytest

from gradus.api import runs
from gradus.api.jobs.job import list_jobs
from gradus.api.tokens import Tokens

EXAMPLES = int(os.environ.get("GRADUS_REST_EXAMPLES", "150"))
SEED = int(os.environ.get("GRADUS_REST_SEED") or random.randrange(2**32))
MIN_CASES = 5000
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance"
)
STARTING = "^(start_|resume_|build_)"
"""Operations that start a process each: they have a tenth of the examples."""
OTHERS_LEFT_OUT = f"{STARTING}|^watch_"
"""And streams of events, which end when what is watched does. One pattern: of two options, the last would count."""
RUN = "from schemathesis.cli import schemathesis; schemathesis()"
HOOKS = """
import schemathesis

@schemathesis.serializer("application/x-ndjson", "application/jsonl", "application/vnd.apache.parquet")
def as_bytes(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not find_spec("schemathesis"), reason="needs schemathesis; `make peers` installs it"),
]


@pytest.fixture
def served(spoilable, tmp_path):
    """Serve a workspace that may be changed, to who has a token alone; give its address and the token."""
    workspace, log = spoilable.workspace, tmp_path / "log.jsonl"
    _, token = Tokens(workspace).create("fuzz", ["admin"], None)
    command = [sys.executable, "-m", "gradus", "serve", "--port=0", "--requests-per-s=0", "--log-format=json"]
    with log.open("w") as stderr, subprocess.Popen([*command, "--workspace", workspace.root], stderr=stderr) as server:
        try:
            while not (found := re.search(r"running on (http://127.0.0.1:\d+)", log.read_text())):
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
            with nothing_going_on(workspace):
                yield found[1], token
        finally:
            server.terminate()
    assert server.returncode is not None
    assert processes_with(str(workspace.root)) == []


@contextmanager
def nothing_going_on(workspace):
    """Cancel jobs and runs soon after they begin, and what is left in the end."""
    over = Event()

    def tidy():
        while not over.wait(1):
            cancel_all(workspace)

    tidying = Thread(target=tidy)
    tidying.start()
    yield
    over.set()
    tidying.join()
    cancel_all(workspace)


def cancel_all(workspace):
    for job in list_jobs(workspace):
        job.cancel("fuzz")
    for run in runs.list_runs(workspace):
        runs.cancel(workspace, run["name"], actor="fuzz")


def processes_with(word):
    """Return the command lines of the processes that name something."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        found += [line] if word in line else []
    return found


@pytest.mark.parametrize(
    ("which", "examples"),
    [
        (("--exclude-operation-id-regex", OTHERS_LEFT_OUT), EXAMPLES),
        (("--include-operation-id-regex", STARTING), EXAMPLES // 10),
    ],
    ids=["reading and saying", "starting"],
)
def test_no_request_breaks_the_server_or_the_document(served, tmp_path, which, examples):
    (address, token), report = served, tmp_path / "events.ndjson"
    (tmp_path / "hooks.py").write_text(HOOKS)
    options = ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"]
    options += ["--max-examples", str(examples), "--seed", str(SEED), "--generation-database", "none", "--workers", "1"]
    options += ["--suppress-health-check", "all", "--request-timeout", "70", "--report-ndjson-path", str(report)]
    options += ["--header", f"Authorization: Bearer {token}", *which]
    command = [sys.executable, "-c", RUN, "run", f"{address}/openapi.json", *options]
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    cases = count_cases(report)
    print(f"\n{cases} cases of seed {SEED}")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5000:]
    assert examples != 150 or cases >= MIN_CASES


def count_cases(report):
    """Return how many requests a report tells of."""
    finished = (event.get("ScenarioFinished") for event in map(json.loads, report.open()))
    return sum(len(scenario["recorder"].get("interactions", ())) for scenario in finished if scenario)
