"""torchrun for our trainers: it takes torchrun's own command line, and ends in one error and with the trainer's status.

torchrun by itself ends every failure in a traceback of its own and status 1. Which process failed first is torchrun's
word, to the second; those that it then ended are not told of.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from torch.distributed import run as torchrun
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from gradus import log
from gradus.errors import StoppedError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a trainer's processes; return the status of the first that failed, or of the signal that ended them."""
    log.configure()
    # They tell of every signal, and of every process that is ended, as it should.
    for name, level in (("multiprocessing.api", logging.CRITICAL), ("agent.server.api", logging.ERROR)):
        logging.getLogger(f"torch.distributed.elastic.{name}").setLevel(level)
    try:
        torchrun.run(torchrun.parse_args(argv))
    except ChildFailedError as failed:
        return _told(*failed.get_first_failure())
    except SignalException as asked:
        return 128 + asked.sigval
    return 0


def _told(rank: int, failure: ProcessFailure) -> int:
    """Say why a process failed; return its status, as a shell would."""
    if failure.exitcode < 0:
        log.logger.error("error: process %d was ended by %s", rank, failure.signal_name())
        return 128 - failure.exitcode
    if failure.error_file_data.get("message") == failure.message:
        log.logger.error("error: %s", failure.message)
    elif failure.exitcode != StoppedError.exit_code:
        log.logger.error("error: process %d ended with status %d, for the reason above", rank, failure.exitcode)
    return failure.exitcode


if __name__ == "__main__":
    sys.exit(main())
