"""Schemathesis asks every operation of the OpenAPI document what fits and what does not: `make rest-fuzz`.

No answer may be a 500, or have a status, header, content type or body that the document does not name; what does not
fit the document must be refused; and a refusal has the one shape.
"""

import json
import os
import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import pytest
import uvicorn

from gradus.api import runs
from gradus.api.app import create_app
from gradus.api.jobs.job import list_jobs
from gradus.api.settings import Settings
from gradus.api.tokens import Tokens

EXAMPLES = int(os.environ.get("GRADUS_REST_EXAMPLES", "150"))
MIN_CASES = 5000
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance"
)
STARTS = "^(start_|resume_|build_)"
"""Operations that start a process each: they have a tenth of the examples."""
ENDLESS = "^watch_"
"""Streams of events, which end when what is watched does."""
RUN = "from schemathesis.cli import schemathesis; schemathesis()"
HOOKS = """
import schemathesis

@schemathesis.serializer("application/x-ndjson", "application/jsonl", "application/vnd.apache.parquet")
def as_bytes(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not find_spec("schemathesis"), reason="needs schemathesis; `make peers` installs it"),
]


@pytest.fixture
def served(spoilable):
    """Serve a workspace that may be changed, to who has a token alone; return its address and the token."""
    _, token = Tokens(spoilable.workspace).create("fuzz", ["admin"], None)
    config = uvicorn.Config(
        create_app(spoilable.workspace, Settings(requests_per_s=None)), port=0, log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", token
    server.should_exit = True
    thread.join()
    for job in list_jobs(spoilable.workspace):  # what the requests have started outlives the server
        job.cancel("fuzz")
    for run in runs.list_runs(spoilable.workspace):
        runs.cancel(spoilable.workspace, run["name"], actor="fuzz")


@pytest.mark.parametrize(("starting", "share"), [(False, 1.0), (True, 0.1)])
def test_no_request_breaks_the_server_or_the_document(served, tmp_path, starting, share):
    address, token = served
    report = tmp_path / "events.ndjson"
    (tmp_path / "hooks.py").write_text(HOOKS)
    options = [
        "--checks",
        CHECKS,
        "--max-examples",
        str(int(share * EXAMPLES)),
        "--phases",
        "examples,coverage,fuzzing",
    ]
    options += ["--workers", "1", "--continue-on-failure", "--generation-database", "none", "--no-color"]
    options += ["--report-ndjson-path", str(report), "--suppress-health-check", "all", "--request-timeout", "70"]
    options += ["--header", f"Authorization: Bearer {token}"]
    options += [f"--{'include' if starting else 'exclude'}-operation-id-regex", STARTS]
    options += [] if starting else ["--exclude-operation-id-regex", ENDLESS]
    command = [sys.executable, "-c", RUN, "run", f"{address}/openapi.json", *options]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout[-20_000:]
    cases = count_cases(report)
    print(f"{cases} cases")
    assert starting or EXAMPLES < 150 or cases >= MIN_CASES


def count_cases(report):
    """Return how many requests a report tells of."""
    return sum(
        len(event["ScenarioFinished"]["recorder"]["interactions"])
        for event in map(json.loads, report.open())
        if "ScenarioFinished" in event
    )
