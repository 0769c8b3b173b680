"""One logger for all of Gradus: people read standard error, machines read standard output."""

from __future__ import annotations

import logging
import os
import sys
import warnings

logger = logging.getLogger("gradus")


QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "GLOO_LOG_LEVEL": "ERROR",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
}
"""For the libraries below us, and the processes we start; what the user has set stays."""


class ToStderr(logging.Handler):
    """Write to what standard error is now: who replaced it while we were set up may have closed that since."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # as logging's own handlers do
            self.handleError(record)


def configure(*, verbose: bool = False) -> None:
    """Send our messages to standard error, and quieten the libraries below us."""
    handler = ToStderr()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
    if verbose:
        return
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("vllm").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
