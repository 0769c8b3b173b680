"""Every example of docs/sql.md works as it stands, and every query of docs/data.md."""

import json
import re
import shlex
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.cli import main
from gradus.api.sql import saved
from gradus.api.sql.formats import MEDIA_TYPES
from gradus.api.sql.query import Limits, ask

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "sql.md").read_text()
LINES = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


def test_every_command_of_the_page_works(spoilable, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line)[1:] for line in LINES if line.startswith("gradus ")]
    assert len(commands) > 10
    for command in commands:
        assert main([*command, "--workspace", str(spoilable.workspace.root)]) == 0, (command, capfd.readouterr().err)
        written = Path(command[command.index("-o") + 1]) if "-o" in command else None
        assert written.stat().st_size if written else capfd.readouterr().out.strip()


def test_every_request_of_the_page_works(spoilable):
    requests = [shlex.split(line)[1:] for line in LINES if line.startswith("curl ")]
    assert len(requests) > 5
    with TestClient(create_app(spoilable.workspace)) as client:
        for words in requests:
            options = dict(pairwise(words))
            headers = dict(value.split(": ") for word, value in pairwise(words) if word == "-H")
            body = json.loads(options["-d"]) if "-d" in options else None
            method = options.get("-X", "POST" if body else "GET")
            (url,) = [word for word in words if word.startswith("localhost:8000/")]
            response = client.request(method, url.removeprefix("localhost:8000"), json=body, headers=headers)
            assert response.is_success, (words, response.text)


@pytest.mark.parametrize("query", sorted(path.stem for path in saved.SHIPPED.glob("*.sql")))
def test_every_query_that_comes_with_us_is_on_the_page(query):
    assert f"`{query}`" in TEXT


def test_every_format_is_on_the_page():
    assert all(media.partition(";")[0] in TEXT for media in MEDIA_TYPES.values())


def test_the_file_of_the_page_is_what_is_stored(spoilable):
    (block,) = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    folder = spoilable.workspace.root / "queries"
    folder.mkdir()
    (folder / "nearly-impossible.sql").write_text(block)
    query = saved.find_query(spoilable.workspace, "nearly-impossible")
    saved.save(spoilable.workspace, query)
    assert (folder / "nearly-impossible.sql").read_text() == block


def queries_of_the_guide_to_data():
    blocks = re.findall(r"```bash\n(.*?)```", (DOCS / "data.md").read_text(), re.DOTALL)
    words = shlex.split("\n;\n".join(blocks).replace("\ngradus ", "\n; gradus "), comments=True)
    commands = [list(group) for ends, group in groupby(words, lambda word: word == ";") if not ends]
    return [command[2] for command in commands if command[:2] == ["gradus", "sql"]]


@pytest.mark.parametrize("query", queries_of_the_guide_to_data())
def test_every_query_of_the_guide_to_data_works(finished, query):
    assert ask(finished.workspace, query, limits=Limits()).columns


def test_the_guide_to_data_asks_every_view_that_it_tells_of():
    told = re.findall(
        r"^\| `(\w+)` \| ", (DOCS / "data.md").read_text().partition("## Views of it all")[2], re.MULTILINE
    )
    assert {"pass_curves", "tokens", "lineage", "teacher_fit"} <= set(told)
    asked = " ".join(queries_of_the_guide_to_data())
    assert [view for view in told if view not in (*asked.split(), "funnel")] == []
