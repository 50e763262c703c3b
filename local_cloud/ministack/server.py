"""The server process of a local cloud: ministack and the local Aurora on 127.0.0.1."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from local_cloud.aurora import AuroraSettings, LocalAurora
from local_cloud.credentials import ACCOUNT_ID, root_credentials
from local_cloud.description import Description
from local_cloud.hop.server import Hop
from local_cloud.ministack import (
    cloudformation_shims,
    cloudwatch_shims,
    data_api,
    iam_shims,
    lambda_shims,
    ministack_modules,
    sdk_integrations,
)
from local_cloud.ministack.aurora_hooks import hooks
from local_cloud.ministack.journals import iam as iam_journal
from local_cloud.ministack.journals import sns as sns_journal
from local_cloud.ministack.refusals import definitions, executions, functions, schedules, secret_names, stacks, topics
from local_cloud.ministack.run_again import run_again
from local_cloud.ministack.scaling import endpoint as scaling
from local_cloud.ministack.state_machines import callback_shims, distributed_maps, execution_shims, states_shims
from local_cloud.regions import TARGET_REGION


def main() -> None:
    """Serve until the input ends or SIGTERM comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--wait-speed", type=float, required=True)
    parser.add_argument("--shortest-wait", type=float, required=True)
    parser.add_argument("--hop", action="store_true")
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    asyncio.run(_serve(options, listener))


async def _serve(options: argparse.Namespace, listener: socket.socket) -> None:
    run_dir, speed = options.run_dir, options.speed
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    threading.Thread(target=_stop_at_end_of_input, args=(loop, stop), daemon=True).start()
    port = listener.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    configure_ministack(run_dir, options.wait_speed, port)
    settings = AuroraSettings(run_dir=run_dir / "aurora", speed=speed, account_id=ACCOUNT_ID)
    hop = Hop(run_again(endpoint)) if options.hop else None
    async with _local_aurora(settings, endpoint, hop) as aurora:
        rds_endpoint, ca_file = aurora.endpoint, aurora.ca_path
        hop_endpoint = hop.before(endpoint) if hop else ""
        # Lambda's environments take these from here.
        os.environ.update(
            {
                "AWS_ENDPOINT_URL_RDS": hop.before(rds_endpoint) if hop else rds_endpoint,
                "AWS_ENDPOINT_URL": hop_endpoint or endpoint,
                "DATABASE_CA_FILE": str(ca_file),
            }
        )
        async with _ministack(options, listener, stop, hop, aurora):
            Description(
                run_dir=str(run_dir),
                speed=speed,
                endpoint=endpoint,
                rds_endpoint=rds_endpoint,
                ca_file=str(ca_file),
                hop_endpoint=hop_endpoint,
            ).write(run_dir)
            await stop.wait()
    sys.stderr.flush()
    os._exit(0)  # executions that still wait must not hold the process


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """End with the supervisor, which holds the other end, whatever way it dies."""
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)


def configure_ministack(run_dir: Path, wait_speed: float, port: int) -> None:
    """Set the variables that ministack reads when it is imported."""
    credentials = root_credentials()
    os.environ.update(
        {
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": TARGET_REGION,
            "SFN_WAIT_SCALE": repr(1 / wait_speed),
            "LOG_LEVEL": os.environ.get("LOCAL_CLOUD_LOG_LEVEL", "WARNING"),
            # Listeners of their own on fixed ports of every interface, for services that nobody needs here.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # ministack starts containers if it finds Docker; this cloud must not depend on it.
            "DOCKER_HOST": f"unix://{run_dir}/no-docker.sock",
        }
    )


@contextlib.asynccontextmanager
async def _local_aurora(settings: AuroraSettings, endpoint: str, hop: Hop | None) -> AsyncIterator[LocalAurora]:
    aurora = LocalAurora(settings, hooks(endpoint, hop))
    try:
        await asyncio.to_thread(aurora.start)
        yield aurora
    finally:
        await asyncio.to_thread(aurora.stop)


@contextlib.asynccontextmanager
async def _ministack(
    options: argparse.Namespace, listener: socket.socket, stop: asyncio.Event, hop: Hop | None, aurora: LocalAurora
) -> AsyncIterator[None]:
    run_dir = options.run_dir
    app = ministack_modules.app().app  # reads its configuration when it is imported: not before
    code_folder = run_dir / "lambda"
    code_folder.mkdir()
    scratch = run_dir / "tmp"
    scratch.mkdir()
    # Not earlier: where a run folder is closed to PostgreSQL's user, the local Aurora needs the machine's own.
    tempfile.tempdir = str(scratch)
    zygotes = lambda_shims.install(code_folder, hop)
    iam_shims.install()
    iam_journal.install(run_dir)
    sns_journal.install(run_dir)
    states_shims.install(options.shortest_wait)
    distributed_maps.install()
    sdk_integrations.install(aurora.endpoint)
    execution_shims.install()
    callback_shims.install()
    cloudformation_shims.install()
    cloudwatch_shims.install()
    data_api.install(aurora.data_api)
    scaling.install(aurora.control.has_cluster)
    for refusals in (definitions, executions, functions, schedules, secret_names, stacks, topics):
        refusals.install()
    _let_connections_idle()
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 1
    serve = importlib.import_module("hypercorn.asyncio").serve
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield
    finally:
        stop.set()
        await server
        ministack_modules.core("lambda_runtime").reset()
        zygotes.close()


def _let_connections_idle() -> None:
    """Close no connection before the end: hypercorn 0.18 sets a clock after each request, for a tenth of its price."""

    async def until_the_end(connection: Any) -> None:
        await connection.context.terminated.wait()
        await asyncio.shield(connection._initiate_server_close())

    importlib.import_module("hypercorn.asyncio.tcp_server").TCPServer._idle_timeout = until_the_end


if __name__ == "__main__":
    main()
