"""A process is ended with everything it has started, and nothing else is."""

import os
import subprocess
import sys
import time

import pytest

from gradus.api.jobs.process import Process, end, find

FAMILY = """
import os, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.{how}); print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session={apart}, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def start(how="SIG_DFL", apart=False):
    """Start a session of a process and its child; return both."""
    code = FAMILY.format(how=how, apart=apart)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    return find(process.pid), find(int(process.stdout.readline()))


@pytest.mark.parametrize("how", ["SIG_DFL", "SIG_IGN"])
@pytest.mark.parametrize("apart", [False, True])
def test_children_end_too_even_in_sessions_of_their_own_or_deaf(how, apart):
    parent, child = start(how, apart)
    end(parent, grace_s=0.5)
    assert not parent.alive
    assert not child.alive


def test_an_orphan_of_the_session_ends_when_its_parent_is_gone():
    parent, child = start()
    os.kill(parent.pid, 9)
    while parent.alive:
        time.sleep(0.01)
    assert child.alive
    end(parent)
    assert not child.alive


def test_a_number_that_was_given_again_is_not_ended():
    parent, child = start()
    end(Process(parent.pid, "another/1"), grace_s=0.1)
    assert parent.alive
    assert child.alive
    end(parent)


def test_what_has_ended_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", ""])
    found = Process(process.pid, "boot/1")
    assert not found.alive
    process.wait()
    assert find(process.pid) is None
