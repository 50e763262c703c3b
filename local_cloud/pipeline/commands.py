"""The subcommands of ./local.sh."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from local_cloud import paths, run_folder
from local_cloud.aws_environment import UNWANTED, command_environment, postgres_tool
from local_cloud.cloud import CloudFailed, LocalCloud, stop
from local_cloud.handing_over import NOT_RUNNING
from local_cloud.pipeline import messages, shop
from local_cloud.pipeline.aurora_clusters import find_cluster, master_login
from local_cloud.pipeline.demonstration import furnish, is_furnished, restore_and_compare
from local_cloud.pipeline.deployment import find_deployment
from local_cloud.screen.layout import fields
from local_cloud.screen.palette import Palette
from local_cloud.screen.terminal import Terminal
from restore_command.exit_codes import RUNNING

UP = paths.UP
_NEXT = [
    ('eval "$(./local.sh env)"', "aws, sam, boto3 and psql of this shell use it"),
    ("./local.sh plan", "what a run would do; nothing is changed"),
    ("./local.sh restore", "run the pipeline and watch it"),
    ("./local.sh status", "how the newest run stands or ended"),
    ("./local.sh messages", "what people were told by mail"),
    (f"./local.sh psql {shop.STAGING}", "psql on a cluster, as its master user"),
    ("./local.sh down", "stop it and remove everything"),
]


def run_all(speed: float, *, keep: bool) -> int:
    """Start, deploy, make the shop, restore, compare, stop: the whole demonstration."""
    run_folder.remove_all_dead()
    terminal = Terminal()
    try:
        with terminal.step(f"local cloud, {speed:g} times faster than AWS"):
            cloud = LocalCloud.start(speed=speed, keep=keep)
        with cloud:
            deployment = furnish(cloud, terminal)
            outcome = restore_and_compare(cloud, deployment, None, terminal)
            if outcome.exit_code == RUNNING:  # it was interrupted: here nobody can watch it again
                raise KeyboardInterrupt
    finally:
        terminal.close()
    kept = f" Logs are in {cloud.run_dir}." if keep else ""
    good = outcome.exit_code == 0 and bool(outcome.rows_equal)
    verdict = terminal.palette.good("✓ Restored and compared.") if good else terminal.palette.bad("✗ Not restored.")
    terminal.say(f"\n{verdict} Everything is stopped and removed.{kept}")
    return 0 if good else 1


def up(speed: float) -> int:
    """Have a local cloud run in the background, with everything in it."""
    terminal = Terminal()
    try:
        with run_folder.one_at_a_time("up", lambda: terminal.say("Another ./local.sh up is at work: waiting for it.")):
            run_folder.remove_all_dead()
            _have_one_run(speed, terminal)
    finally:
        terminal.close()
    terminal.say(f"\n{terminal.palette.heading('Next')}\n{fields(_NEXT)}")
    return 0


def _have_one_run(speed: float, terminal: Terminal) -> None:
    cloud = LocalCloud.find(UP)
    if cloud is not None and is_furnished(cloud):
        other = "" if cloud.speed == speed else f" For another speed: ./local.sh down, then up --speed {speed:g}."
        terminal.say(f"Already running: {cloud.endpoint}, {cloud.speed:g} times faster than AWS.{other}")
        return
    if cloud is not None:
        terminal.say("The local cloud that runs was left half made: it is made anew.")
        cloud.close()
    run_folder.remove_dead(UP)
    with terminal.step(f"local cloud, {speed:g} times faster than AWS"):
        cloud = LocalCloud.start(run_dir=UP, speed=speed, attached=False)
    try:
        furnish(cloud, terminal)
    except BaseException:
        cloud.close()
        raise


def environment() -> int:
    """Print what eval makes of a shell a shell of the local cloud."""
    variables = running_cloud().environment()
    print(f"unset {' '.join(UNWANTED)};")
    for key, value in variables.items():
        print(f"export {key}={shlex.quote(value)};")
    return 0


def restore(input_file: Path | None) -> int:
    """Run the pipeline once in the running local cloud, with ./restore.sh, and compare."""
    cloud = running_cloud()
    terminal = Terminal()
    try:
        outcome = restore_and_compare(cloud, find_deployment(cloud), input_file, terminal)
    finally:
        terminal.close()
    if outcome.rows_equal is False:
        print("The source may have changed since its snapshot; the pipeline restores the snapshot.")
    return outcome.exit_code


def show_messages(operation_id: str | None, *, as_json: bool) -> int:
    """Show what the local topics passed on."""
    found = messages.messages_in(running_cloud().run_dir, operation_id)
    if as_json:
        print(json.dumps(found, indent=2))
    elif found:
        print(messages.text_of(found, Palette.of(sys.stdout)))
    else:
        print(f"No message yet{f' about {operation_id}' * bool(operation_id)}: one is sent at the end of each run.")
    return 0


def psql(cluster_id: str, arguments: Sequence[str]) -> int:
    """Become psql, logged in to a cluster as its master user (PGUSER and PGPASSWORD win if they are set)."""
    cloud = running_cloud()
    region, cluster = find_cluster(cloud, cluster_id)
    if "Endpoint" not in cluster or cluster["Status"] != "available":
        raise CloudFailed(f"Cluster {cluster_id} is {cluster['Status']}: it takes no connections now.")
    login = master_login(cloud, region, cluster)
    variables = {"PGHOST": str(cluster["Endpoint"]), "PGPORT": str(cluster["Port"]), "PGDATABASE": "postgres"}
    if cluster.get("DatabaseName"):
        variables["PGDATABASE"] = str(cluster["DatabaseName"])
    if "PGPASSWORD" in os.environ:
        variables["PGUSER"] = os.environ.get("PGUSER", str(cluster["MasterUsername"]))
    elif login is not None:
        variables |= {"PGUSER": login.username, "PGPASSWORD": login.password}
    else:
        raise CloudFailed(f"The master password of {cluster_id} is not known here: set PGPASSWORD (and PGUSER).")
    program = str(postgres_tool("psql"))
    os.execve(program, [program, *arguments], command_environment({**cloud.environment(), **variables}))  # noqa: S606


def down() -> int:
    """Stop the local cloud in the background and remove everything of it."""
    was_running = stop(UP)
    run_folder.remove_all_dead()
    print("Stopped and removed." if was_running else "No local cloud is running.")
    return 0


def running_cloud() -> LocalCloud:
    """Return the local cloud in the background."""
    cloud = LocalCloud.find(UP)
    if cloud is None:
        raise CloudFailed(NOT_RUNNING)
    return cloud
