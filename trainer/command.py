"""The command line that both trainers share, by themselves or under torchrun.

`torchrun … -m gradus.trainer.sft -- --manifest …`: without the `--`, torchrun takes `--run` for its own. Under
torchrun an error goes into the file that it names for that, lest every process prints the same; processes.py prints it.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from gradus import config, log
from gradus.curricula import manifest as manifests
from gradus.curricula.fingerprint import template_fingerprint, tokenizer_fingerprint
from gradus.curricula.verify import verify
from gradus.errors import DataError, GradusError, StoppedError, WorkspaceError
from gradus.trainer import platform as platforms
from gradus.trainer.checkpoint_files import tidy
from gradus.trainer.config import RLConfig, SFTConfig
from gradus.trainer.platform import Platform
from gradus.trainer.run import Run, write_error

FULL = (errno.ENOSPC, errno.EDQUOT)
C = TypeVar("C", bound=SFTConfig | RLConfig)


@dataclass(frozen=True, slots=True)
class Job(Generic[C]):
    """What a trainer is started with."""

    manifest_path: Path
    manifest: manifests.Manifest
    model: Path
    config: C
    run: Run
    platform: Platform
    until: int | None = None
    """The step to pause after; the result does not depend on it."""

    def stop(self, step: int, num_steps: int) -> NoReturn:
        """End after a step that was saved, as was asked."""
        if self.platform.is_first:
            self.run.stop()
        raise StoppedError(
            f"{self.run.folder}: stopped at step {step} of {num_steps} and saved; the same command goes on"
        )


def main(kind: str, config_class: type[C], train: Callable[[Job[C]], None], argv: Sequence[str] | None) -> int:
    """Parse the command line, join the other processes, check the inputs, train; return the exit status."""
    arguments = _parser(kind).parse_intermixed_args(argv)
    log.configure()
    try:
        loaded = config.load(config_class, arguments.recipe, arguments.override)
        platform = platforms.start()
        try:
            _train(kind, arguments, loaded, (platform, train))
        finally:
            platforms.stop()
    except StoppedError as stopped:
        if os.environ.get("RANK", "0") == "0":
            log.logger.warning("%s", stopped)
        return stopped.exit_code
    except GradusError as error:
        return _tell(error, arguments.run)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return _tell(WorkspaceError(f"{error}; make room, and the same command goes on"), arguments.run)
    return 0


def _tell(error: GradusError, run: Path) -> int:
    """Say why training ended, and leave it in the run's folder; return the exit status."""
    write_error(run, error)
    if told := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        with contextlib.suppress(OSError):  # there may be no room for this either
            Path(told).write_text(json.dumps({"message": str(error), "timestamp": int(time.time())}))
            return error.exit_code
    log.logger.error("error: %s", error)
    return error.exit_code


def _train(kind: str, arguments: argparse.Namespace, loaded: C, how: tuple[Platform, Callable[[Job[C]], None]]) -> None:
    platform, train = how
    manifest = verify(arguments.manifest)
    check_tokenizer(manifest, arguments.model)
    identity = {"kind": kind, "manifest": manifest.id, "model": str(arguments.model.resolve())}
    run = Run(arguments.run, **identity, config=config.plain(loaded))
    if run.finished:
        if platform.is_first:
            tidy(run.folder / "checkpoints", loaded.checkpoint.keep_after)
            log.logger.info("%s: already finished; its model is in %s", run.folder, run.folder / "export")
        return
    train(Job(arguments.manifest, manifest, arguments.model, loaded, run, platform, arguments.until))


def _parser(kind: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m gradus.trainer.{kind}")
    parser.add_argument("--manifest", type=Path, required=True, help="manifests/<id>.json of a workspace")
    parser.add_argument("--model", type=Path, required=True, help="a Hugging Face folder")
    parser.add_argument("--run", type=Path, required=True, help="the run's directory; the same again goes on")
    parser.add_argument("--recipe", type=Path, help="a TOML file")
    parser.add_argument("--until", type=int, metavar="STEP", help="pause after this step; the same again goes on")
    parser.add_argument("override", nargs="*", metavar="key=value")
    return parser


def check_tokenizer(manifest: manifests.Manifest, model: Path) -> None:
    """DataError unless the manifest was rendered for this model."""
    wanted = manifest.tokenizer
    found = tokenizer_fingerprint(model, like=wanted.fingerprint)
    if found != wanted.fingerprint:
        what = "chat template" if wanted.template and template_fingerprint(model) != wanted.template else "tokenizer"
        raise DataError(
            f"{model}: its {what} is another ({found[:12]}…) than the manifest was rendered with "
            f"({wanted.fingerprint[:12]}…, of {wanted.model_id}); build the curriculum for this model"
        )
