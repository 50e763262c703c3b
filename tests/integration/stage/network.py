"""Subnets and security groups in the default VPC of the target Region."""

from tests.integration.stage.world import World

DEFAULT_SUBNETS = ["subnet-00000001", "subnet-00000002", "subnet-00000003"]  # ministack's, one in each zone


def security_group(world: World, name: str) -> str:
    """Make a security group and return its id."""
    made = world.client("ec2").create_security_group(GroupName=name, Description=f"of {name}")
    return str(made["GroupId"])
