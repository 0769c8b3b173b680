"""A workspace of small stories, and a teacher who solves and writes them."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "engine/teachers"))

from loopback import Server
from storyteller import Storyteller

from gradus.api import steps
from gradus.curricula.recipe import Recipe
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.varying.config import VaryConfig


@pytest.fixture
def told(workspace):
    """Return a function that starts a teacher and returns a recipe which asks it."""
    servers = []

    def start(problems, blunder=lambda asked: asked.right, **settings):
        steps.add_problems(workspace, problems, "stories")
        servers.append(Server(Storyteller(blunder)))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        options = {"base_url": servers[-1].url, "model_id": "storyteller", "timeout_s": 5.0, "retry_for_s": 5.0}
        teacher = TeacherConfig(kind="openai", model="big", options=options)
        return Recipe(name="stories", teacher=teacher, vary=VaryConfig(**settings)), servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
