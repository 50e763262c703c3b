"""An AWS that refuses or does not answer is told in one line, with what to do."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from deployment.account import Refused, told


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no such thing"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NoRegionError(), "no Region: pass --region, or set AWS_REGION"),
        (
            NoCredentialsError(),
            "no AWS credentials (Unable to locate credentials): set AWS_PROFILE, or log in with aws sso login",
        ),
        (
            ProfileNotFound(profile="mine"),
            "no AWS credentials (The config profile (mine) could not be found): set AWS_PROFILE, or log in with aws "
            "sso login",
        ),
        (
            refused("AccessDeniedException"),
            "no permission for DescribeStacks: no such thing; use credentials that are allowed to",
        ),
        (
            refused("ExpiredToken"),
            "AWS does not take the credentials (ExpiredToken): log in again, or set AWS_PROFILE",
        ),
        (
            ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "Scan"),
            "no table of the pipeline here: deploy it (./deploy.sh deploy), or name its Region with --region",
        ),
        (refused("ValidationError"), "DescribeStacks failed with ValidationError: no such thing"),
        (
            EndpointConnectionError(endpoint_url="https://aws"),
            'no answer from AWS (EndpointConnectionError: Could not connect to the endpoint URL: "https://aws"): check '
            "the network and try again",
        ),
    ],
)
def test_what_went_wrong_is_said_in_one_line_with_what_to_do(error: Exception, line: str) -> None:
    with pytest.raises(Refused) as caught, told():
        raise error
    assert str(caught.value) == line
    assert isinstance(caught.value.__cause__, type(error))
