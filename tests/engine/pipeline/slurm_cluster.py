"""A throw-away Slurm cluster of one node on the loopback, of Debian's `slurm-wlm` and `munge`.

The daemons are real: `sbatch`, `squeue`, arrays and dependencies work. There is no accounting (no `sacct`), no cgroup
and no limit on memory. It needs root, as slurmd does; `slurm` skips, and says why, where it cannot be had.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")
START_S = 30.0
CONFIG = """
ClusterName=throwaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def slurm(monkeypatch):
    """Start a cluster, and name it to Slurm's commands by SLURM_CONF; yield the path of its configuration."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("slurmd starts jobs as root only")
    # Not tmp_path: the name of a Unix socket has room for 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    with contextlib.ExitStack() as daemons:
        daemons.callback(shutil.rmtree, folder, ignore_errors=True)
        config = _configure(folder)
        monkeypatch.setenv("SLURM_CONF", str(config))
        _start(daemons, folder, "munged", *_munge_arguments(folder))
        _wait_for(folder, "munged", lambda: (folder / "munge.sock").exists())
        _start(daemons, folder, "slurmctld", "-D", "-f", str(config))
        _start(daemons, folder, "slurmd", "-D", "-f", str(config), "-N", _host())
        _wait_for(folder, "slurmd", _has_an_idle_node)
        yield config


def _configure(folder: Path) -> Path:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10
    ports = {"controller_port": _free_port(), "node_port": _free_port()}
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, host=_host(), cpus=os.cpu_count(), memory_mb=memory_mb, **ports))
    return config


def _munge_arguments(folder: Path) -> list[str]:
    files = {"key-file": "munge.key", "socket": "munge.sock", "seed-file": "munge.seed", "pid-file": "munged.pid"}
    paths = [f"--{option}={folder / name}" for option, name in files.items()]
    return ["--foreground", "--force", f"--log-file={folder}/munge.log", *paths]


def _start(daemons: contextlib.ExitStack, folder: Path, *command: str) -> None:
    """Start a daemon in the foreground; it is ended with the block."""
    with (folder / f"{command[0]}.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    daemons.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(folder: Path, name: str, ready) -> None:
    until = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > until:
            pytest.skip(f"{name} does not start here: {(folder / f'{name}.out').read_text()[-400:]}")
        time.sleep(0.1)


def _has_an_idle_node() -> bool:
    command = ["sinfo", "--noheader", "--format=%T"]
    return "idle" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
