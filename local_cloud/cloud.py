"""The Python API of the local cloud: start one, talk to it, deploy into it, stop it.

    with LocalCloud.start(speed=200) as cloud:
        cloud.deploy()
        cloud.client("rds", SOURCE_REGION).create_db_cluster(...)

Needs boto3 and the environments of `tooling.environments`; never imports ministack.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local_cloud import run_folder
from local_cloud.aws_environment import make_commands
from local_cloud.credentials import ACCOUNT_ID, root_credentials
from local_cloud.description import Description
from local_cloud.regions import TARGET_REGION
from tooling import processes
from tooling.environments import REPOSITORY, environment_bin

DEFAULT_SPEED = 120.0
# The pipeline's 15 seconds between two looks would be an eighth of one: half of a run's processor time would be looks.
SHORTEST_WAIT_SECONDS = 0.5
_START_SECONDS = 60.0
_STOP_SECONDS = 90.0


class CloudFailed(Exception):
    """The local cloud could not do what was asked; the message says what to do."""


class LocalCloud:
    """A running local cloud."""

    def __init__(self, description: Description, supervisor: subprocess.Popen[bytes] | None) -> None:
        self._description = description
        self.run_dir = Path(description.run_dir)
        self.speed = description.speed
        self.endpoint = description.endpoint
        self.rds_endpoint = description.rds_endpoint
        self.ca_file = Path(description.ca_file)
        self.hop_endpoint = description.hop_endpoint
        self._supervisor = supervisor
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._making = threading.Lock()

    @classmethod
    def start(
        cls,
        *,
        run_dir: Path | None = None,
        speed: float = DEFAULT_SPEED,
        wait_speed: float | None = None,
        shortest_wait: float = SHORTEST_WAIT_SECONDS,
        hop: bool = False,
        attached: bool = True,
        keep: bool = False,
    ) -> LocalCloud:
        """Start a local cloud in a new run folder.

        speed: how many times faster Aurora's time runs. wait_speed: the same for the state machine's waits, if they
        are to differ. shortest_wait: real seconds that such a wait lasts at least.
        hop: the functions' AWS calls pass the hop (local_cloud.hop).
        attached: it ends with this process, however that ends; otherwise it runs until close().
        keep: leave the run folder with its logs (never the data) there.
        """
        run_dir = run_folder.create(run_dir)
        pace = {"speed": speed, "wait-speed": wait_speed or speed, "shortest-wait": shortest_wait}
        supervisor = _spawn_supervisor(run_dir, pace, hop=hop, attached=attached, keep=keep)
        try:
            description = _wait_until_ready(run_dir, supervisor)
            make_commands(run_dir / "bin")
        except BaseException:
            _end(supervisor)
            raise
        return cls(description, supervisor)

    @classmethod
    def find(cls, run_dir: Path) -> LocalCloud | None:
        """Return the local cloud that runs in a folder, if one does."""
        description = run_folder.describe(run_dir)
        return cls(description, None) if description else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and remove the run folder."""
        if self._supervisor is not None:
            _end(self._supervisor)
        else:
            stop(self.run_dir)

    def client(self, service: str, region: str = TARGET_REGION, account_id: str = ACCOUNT_ID) -> Any:
        """Return a boto3 client with the credentials of an account's root, the same one whenever it is asked for."""
        wanted = (service, region, account_id)
        with self._making:  # making a client is not safe in two threads, using one is
            if wanted not in self._clients:
                self._clients[wanted] = self._new_client(*wanted)
            return self._clients[wanted]

    def _new_client(self, service: str, region: str, account_id: str) -> Any:
        credentials = root_credentials(account_id)
        session = boto3.Session(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            region_name=region,
        )
        endpoint = self.rds_endpoint if service == "rds" else self.endpoint
        return session.client(service, endpoint_url=endpoint, config=Config(max_pool_connections=20))  # type: ignore[call-overload]

    def environment(self, region: str = TARGET_REGION, account_id: str = ACCOUNT_ID) -> dict[str, str]:
        """Return the variables that point aws, sam, boto3 and psql at this cloud (without the rest of os.environ)."""
        return self._description.variables(region, account_id)

    def aurora_control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the local Aurora's control surface (local_cloud.aurora.front.control: faults, clock, journal …)."""
        return _control(f"{self.rds_endpoint}/_local_aurora/{path}", method, body)

    def hop_control(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Call the control surface of the hop (faults, calls; see local_cloud.hop.server)."""
        return _control(f"{self.hop_endpoint}/_hop/{path}", method, body)


def _control(url: str, method: str, body: dict[str, Any] | None) -> Any:
    request = urllib.request.Request(url, method=method, data=json.dumps(body or {}).encode())  # noqa: S310 - loopback
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return json.load(response)


def stop(run_dir: Path) -> bool:
    """Stop the local cloud of a run folder and remove the folder; False if none was running."""
    alive = run_folder.is_alive(run_dir)
    if alive:
        pid = run_folder.holder(run_dir)
        os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + _STOP_SECONDS
        while run_folder.is_alive(run_dir):
            if time.monotonic() > give_up:
                raise CloudFailed(f"The local cloud (process {pid}) did not stop; see {run_dir / 'cloud.log'}.")
            time.sleep(0.05)
    run_folder.remove_dead(run_dir)
    return alive


def _spawn_supervisor(
    run_dir: Path, pace: dict[str, float], *, hop: bool, attached: bool, keep: bool
) -> subprocess.Popen[bytes]:
    python = environment_bin("cloud") / "python"
    command = [str(python), "-m", "local_cloud.ministack", "--run-dir", str(run_dir)]
    command += [f"--{name}={value}" for name, value in pace.items()]
    command += [*["--hop"] * hop, *["--attached"] * attached, *["--keep"] * keep]
    # Only what the processes need: nothing of the caller's AWS, PG and PYTHON variables may reach them.
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
    with (run_dir / "cloud.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**environment, "PYTHONPATH": str(REPOSITORY), "HOME": str(run_dir)},
            start_new_session=True,  # Ctrl-C reaches it through its parent, in order
        )


def _wait_until_ready(run_dir: Path, supervisor: subprocess.Popen[bytes]) -> Description:
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        try:
            return Description.read(run_dir)
        except FileNotFoundError:
            if supervisor.poll() is not None:
                break
            time.sleep(0.02)
    log = run_dir / "cloud.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else "(its log is gone with its run folder)"
    raise CloudFailed(f"The local cloud did not start:\n{tail}")


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    if supervisor.poll() is None:
        supervisor.terminate()
    if supervisor.stdin:
        supervisor.stdin.close()
    try:
        supervisor.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in [*processes.descendants(supervisor.pid), supervisor.pid]:
            os.kill(pid, signal.SIGKILL)
        supervisor.wait()
