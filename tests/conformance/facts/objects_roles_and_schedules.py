"""S3, IAM, STS, EventBridge Scheduler and CloudFormation, as far as the product and its deployment ask them."""

import json

from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true


@fact("s3", "S3 API, GetObject", minutes=1)
def a_missing_object_is_told(bench: Bench) -> None:
    """GetObject of no object: NoSuchKey; HeadObject: 404, which has no body to tell more."""
    objects, bucket = bench.client("s3"), bench.made.bucket
    bench.refused("NoSuchKey", lambda: objects.get_object(Bucket=bucket, Key="none"))
    bench.refused("404", lambda: objects.head_object(Bucket=bucket, Key="none"))


@fact("s3", "S3 API, GetObject: VersionId")
def an_older_version_can_be_read(bench: Bench) -> None:
    """In a bucket with versions, GetObject of a VersionId answers that version."""
    objects, bucket = bench.client("s3"), bench.made.bucket
    first = objects.put_object(Bucket=bucket, Key="script.sql", Body=b"select 1")["VersionId"]
    objects.put_object(Bucket=bucket, Key="script.sql", Body=b"select 2")
    read = objects.get_object(Bucket=bucket, Key="script.sql", VersionId=first)["Body"].read()
    equal(read, b"select 1", "the first version")


@fact("s3", "S3 User Guide, Conditional writes")
def an_object_can_be_written_only_once(bench: Bench) -> None:
    """PutObject with If-None-Match * of an object that exists: PreconditionFailed."""
    objects, bucket = bench.client("s3"), bench.made.bucket
    objects.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")
    bench.refused(
        "PreconditionFailed", lambda: objects.put_object(Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")
    )


@fact("s3", "S3 API, GetObject")
def a_missing_bucket_is_told(bench: Bench) -> None:
    """GetObject of no bucket: NoSuchBucket."""
    objects = bench.client("s3")
    bench.refused("NoSuchBucket", lambda: objects.get_object(Bucket=bench.name("none"), Key="any"))


@fact("iam", "IAM API, GetRole")
def a_missing_role_is_told(bench: Bench) -> None:
    """GetRole of no role: NoSuchEntity."""
    roles = bench.client("iam")
    bench.refused("NoSuchEntity", lambda: roles.get_role(RoleName=bench.name("none")))


@fact("iam", "IAM API, CreateRole", minutes=1)
def a_second_role_of_a_name_is_refused(bench: Bench) -> None:
    """CreateRole with a name that is taken: EntityAlreadyExists."""
    roles, name = bench.client("iam"), bench.made.role.rpartition("/")[2]
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
            ],
        }
    )
    bench.refused("EntityAlreadyExists", lambda: roles.create_role(RoleName=name, AssumeRolePolicyDocument=trust))


@fact("iam", "IAM API, DeleteRole")
def a_role_with_policies_is_not_deleted(bench: Bench) -> None:
    """DeleteRole while inline policies are there: DeleteConflict."""
    roles, name = bench.client("iam"), bench.made.role.rpartition("/")[2]
    bench.refused("DeleteConflict", lambda: roles.delete_role(RoleName=name))


@fact("sts", "STS API, GetCallerIdentity")
def whoever_calls_can_ask_who_it_is(bench: Bench) -> None:
    """GetCallerIdentity answers account, ARN and user id."""
    found = bench.client("sts").get_caller_identity()
    equal(len(found["Account"]), 12, "the digits of the account")
    true(found["Account"] in found["Arn"], f"the ARN {found['Arn']} is another account's")


@fact("scheduler", "EventBridge Scheduler API, CreateSchedule")
def a_schedule_is_a_cron_a_rate_or_a_moment(bench: Bench) -> None:
    """CreateSchedule with another expression: ValidationException."""
    schedules, target = bench.client("scheduler"), {"Arn": bench.made.machine({"Done": {"Type": "Succeed"}})}
    bench.refused(
        "ValidationException",
        lambda: schedules.create_schedule(
            Name=bench.name("schedule"),
            ScheduleExpression="every night",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={**target, "RoleArn": bench.made.role},
        ),
    )


@fact("scheduler", "EventBridge Scheduler API, GetSchedule")
def a_missing_schedule_is_told(bench: Bench) -> None:
    """GetSchedule of no schedule: ResourceNotFoundException."""
    schedules = bench.client("scheduler")
    bench.refused("ResourceNotFoundException", lambda: schedules.get_schedule(Name=bench.name("none")))


@fact("cloudformation", "CloudFormation API, DescribeStacks")
def a_missing_stack_is_a_validation_error(bench: Bench) -> None:
    """DescribeStacks of no stack: ValidationError, and the message says that it does not exist."""
    stacks = bench.client("cloudformation")
    bench.refused(
        "ValidationError", lambda: stacks.describe_stacks(StackName=bench.name("none")), saying="does not exist"
    )


@fact("application-autoscaling", "Application Auto Scaling API, DescribeScalableTargets")
def a_cluster_without_scaling_has_no_targets(bench: Bench) -> None:
    """DescribeScalableTargets of a cluster that nothing scales: an empty list, no error."""
    scaling = bench.client("application-autoscaling")
    found = scaling.describe_scalable_targets(ServiceNamespace="rds", ResourceIds=[f"cluster:{bench.name('none')}"])
    equal(found["ScalableTargets"], [], "the targets")


@fact("logs", "CloudWatch Logs API, FilterLogEvents")
def a_missing_log_group_is_told(bench: Bench) -> None:
    """FilterLogEvents of no group: ResourceNotFoundException."""
    logs = bench.client("logs")
    bench.refused("ResourceNotFoundException", lambda: logs.filter_log_events(logGroupName=bench.name("none")))
