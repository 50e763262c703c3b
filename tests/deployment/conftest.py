"""A local cloud with nothing in it but production, and somebody at the keyboard with deploy.sh."""

import subprocess
from collections.abc import Iterator, Mapping

import pytest

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.deployment import one_deployment_at_a_time
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.production import make_production
from tooling.environments import REPOSITORY, environment_bin

SPEED = 600.0
PRODUCTION = "shop-production"


class Keyboard:
    """Runs deploy.sh the way a person does, with the local cloud's environment."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        # The functions run under the interpreter of the environment `cloud`: deploy --host builds for that one.
        python = str(environment_bin("cloud") / "python")
        self.variables = command_environment({**cloud.environment(), "PYTHON": python, "SAM_CLI_POLL_DELAY": "0.2"})

    def deploy_sh(
        self, *arguments: str, expect: int = 0, typed: str = "", who: Mapping[str, str] | None = None, **variables: str
    ) -> str:
        """Return what deploy.sh prints; fails with its words if it ends otherwise than expected."""
        environment = {**self.variables, **variables, **(who or {})}
        with one_deployment_at_a_time():
            done = subprocess.run(
                ["./deploy.sh", *arguments], cwd=REPOSITORY, env=environment, check=False,
                input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
            )  # fmt: skip
        assert done.returncode == expect, f"deploy.sh {' '.join(arguments)}: {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout

    def verify(self, expect: int = 0, region: str = TARGET_REGION) -> dict[str, str]:
        """Return the outcome of each check by its name."""
        printed = self.deploy_sh("verify", "--region", region, expect=expect)
        rows = [line for line in printed.splitlines() if line.startswith(("PASS", "WARN", "FAIL", "SKIP"))]
        assert rows, printed
        return {line[6:44].strip(): line[:4] for line in rows}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A local cloud of this module's own."""
    with LocalCloud.start(speed=SPEED) as running:
        make_production(running, PRODUCTION)
        yield running


@pytest.fixture(scope="module")
def keyboard(cloud: LocalCloud) -> Keyboard:
    """Somebody at the keyboard."""
    return Keyboard(cloud)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a local cloud."""
    for item in items:
        if item.path.parent.name == "deployment" and "keyboard" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.local_cloud)
