"""One writer at a time, and a dead one holds nobody up."""

import signal
import subprocess
import sys

import pytest

from gradus.engine.workspace import FOLDERS, Workspace
from gradus.errors import WorkspaceError

HOLD = """
import sys, time
from pathlib import Path
from gradus.engine.workspace import Workspace
with Workspace(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(workspace):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(workspace.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_writer_is_told_who_the_first_is(workspace, holder):
    with pytest.raises(WorkspaceError) as error, workspace.writing():
        pass
    assert f"process {holder.pid} is writing here" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_the_lock_of_a_killed_writer_is_free(workspace, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with workspace.writing():
        pass


def test_the_lock_is_free_after_an_error(workspace):
    with pytest.raises(KeyboardInterrupt), workspace.writing():
        raise KeyboardInterrupt
    with workspace.writing():
        pass


def test_a_lock_names_only_its_present_holder(workspace, holder):
    holder.kill()
    holder.wait()
    (workspace.root / ".lock").write_text("1234567890123")
    with workspace.writing(), pytest.raises(WorkspaceError, match=r"process \d{1,7} is writing"), workspace.writing():
        pass


def test_creating_twice_keeps_what_is_there(tmp_path):
    workspace = Workspace.create(tmp_path / "a" / "b")
    (workspace.parts / "note").write_text("kept")
    assert Workspace.create(tmp_path / "a" / "b") == workspace
    assert (workspace.parts / "note").read_text() == "kept"
    assert sorted(path.name for path in workspace.root.iterdir()) == sorted(FOLDERS)


def test_a_folder_that_is_no_workspace_says_how_to_make_one(tmp_path):
    with pytest.raises(WorkspaceError, match=r"not a workspace; `gradus init --workspace .*` makes one"):
        Workspace.find(tmp_path)
