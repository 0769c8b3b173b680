"""The errors a user can cause; the command line prints them as one line, without a traceback."""


class GradusError(Exception):
    """What is wrong, where, and what to do next. exit_code is the command's exit status."""

    exit_code = 1


class ConfigError(GradusError):
    """A recipe, override or flag that makes no sense."""

    exit_code = 2


class DataError(GradusError):
    """A file or record that cannot be used."""

    exit_code = 3


class WorkspaceError(GradusError):
    """The workspace is missing, busy, or full."""

    exit_code = 4


class MachineError(GradusError):
    """Something that the command needs is missing on this machine."""

    exit_code = 5


class StoppedError(GradusError):
    """The work was asked to stop and is kept: the same command goes on. The status is sysexits' EX_TEMPFAIL."""

    exit_code = 75
