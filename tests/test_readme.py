"""What the README tells a newcomer to type is right."""

import json
import re
import shlex
from pathlib import Path

import pytest

from gradus.api.cli import main, parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands():
    lines = "\n".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("gradus ")]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_command_in_the_readme_is_one_of_ours(command):
    args = parser().parse_args(command[1:])
    assert args.command == command[1]


@pytest.mark.parametrize("target", re.findall(r"make ([a-z-]+)", README))
def test_a_make_target_in_the_readme_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_answers_in_the_readme_are_verified_as_it_says(tmp_path):
    (tmp_path / "answers.jsonl").write_text("\n".join(blocks("json")))
    files = ["--input", str(tmp_path / "answers.jsonl"), "--output", str(tmp_path / "verdicts.jsonl")]
    assert main(["verify", *files, "--workers", "1"]) == 0
    verdicts = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [(v["id"], v["outcome"]) for v in verdicts] == [("a", "pass"), ("b", "pass"), ("c", "pass")]


def test_every_file_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
