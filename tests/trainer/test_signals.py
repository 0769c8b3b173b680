import os
import signal
import time

import pytest

from gradus.trainer import signals
from gradus.trainer.signals import Signals

pytestmark = pytest.mark.usefixtures("platform")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_handlers_come_back(number, capfd):
    before = signal.getsignal(number)
    with Signals() as noted:
        assert not noted.stop_asked()
        os.kill(os.getpid(), number)
        assert noted.stop_asked()
        os.kill(os.getpid(), number)  # as torchrun hands it on
        assert noted.stop_asked()
    assert signal.getsignal(number) is before
    assert capfd.readouterr().err == "asked to stop: the step under way is finished and saved first\n"


def test_a_later_second_interrupt_ends_the_run_as_it_stands(monkeypatch):
    monkeypatch.setattr(signals, "AGAIN_S", 0.01)
    with Signals() as noted:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        assert noted.stop_asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
