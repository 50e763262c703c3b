"""Every member of the operations that put back what hangs on a cluster, and what becomes of it here.

A test holds this against botocore's service models, as it does `members_filed`.
"""

from utils.cluster_settings.members_filed import Fate, Filed

_OF_THE_CLUSTER = Filed(Fate.FIXED, "the target")
_READERS = Filed(Fate.FIXED, "the number of readers of an RDS cluster")
_UNSEEN_TAGS = Filed(Fate.FIXED, "none: no answer that describes them tells the tags")


def _carried(setting: str, members: str) -> dict[str, Filed]:
    return {member: Filed(Fate.CARRIED, setting) for member in members.split()}


_SCALABLE = {"ServiceNamespace": _READERS, "ScalableDimension": _READERS, "ResourceId": _OF_THE_CLUSTER}

ATTACHED = {
    ("rds", "CreateDBClusterEndpoint"): _carried(
        "custom_endpoints", "DBClusterEndpointIdentifier EndpointType ExcludedMembers StaticMembers"
    )
    | {"DBClusterIdentifier": _OF_THE_CLUSTER, "Tags": _UNSEEN_TAGS},
    ("rds", "RegisterDBProxyTargets"): _carried("proxies", "DBProxyName TargetGroupName")
    | {
        "DBClusterIdentifiers": _OF_THE_CLUSTER,
        "DBInstanceIdentifiers": Filed(Fate.NOT_FOR_AURORA_POSTGRESQL, "of instances outside a cluster"),
    },
    ("rds", "AddSourceIdentifierToSubscription"): _carried("event_subscriptions", "SourceIdentifier SubscriptionName"),
    ("rds", "EnableHttpEndpoint"): {"ResourceArn": _OF_THE_CLUSTER},
    ("application-autoscaling", "RegisterScalableTarget"): _SCALABLE
    | _carried("reader_scaling", "MaxCapacity MinCapacity SuspendedState")
    | {
        "RoleARN": Filed(Fate.NOT_FOR_AURORA_POSTGRESQL, "of Amazon EMR: others have the role of the service"),
        "Tags": _UNSEEN_TAGS,
    },
    ("application-autoscaling", "PutScalingPolicy"): _SCALABLE
    | _carried(
        "reader_scaling",
        "PolicyName PolicyType PredictiveScalingPolicyConfiguration StepScalingPolicyConfiguration "
        "TargetTrackingScalingPolicyConfiguration",
    ),
    ("application-autoscaling", "PutScheduledAction"): _SCALABLE
    | _carried("reader_scaling", "EndTime ScalableTargetAction Schedule ScheduledActionName StartTime Timezone"),
}
