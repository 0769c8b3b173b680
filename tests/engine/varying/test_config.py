"""The recipe's section, as the documentation shows it."""

import tomllib
from pathlib import Path

from gradus.config import build
from gradus.engine.varying.config import VaryConfig

DATA = Path(__file__).parents[3] / "docs/data.md"


def test_the_section_in_the_documentation_can_be_used():
    (text,) = (block.partition("```")[0] for block in DATA.read_text().split("```toml\n") if block.startswith("[vary]"))
    config = build(VaryConfig, tomllib.loads(text)["vary"], "docs")
    assert [teacher.kind for teacher in config.teachers] == ["openai", "openai"]
    assert all("{prompt}" in style.user and "\\boxed{}" in style.user for style in config.styles_of("math"))
    assert config.styles_of("code") == VaryConfig().styles_of("code")
