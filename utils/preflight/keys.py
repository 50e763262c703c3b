"""Whether RDS can use the keys that are not the cluster's own: those of Performance Insights."""

from functools import partial

from utils.aws.kms import KmsGateway
from utils.cluster_settings.model import TargetSettings
from utils.preflight.looks import Preflight


def look_at_keys_of_insights(preflight: Preflight, kms: KmsGateway, settings: TargetSettings) -> None:
    """Look at each key once; one that is disabled or gone lets RDS create neither cluster nor instance."""
    known = (settings.insights, *(member.insights for member in settings.members))
    for key in dict.fromkeys(one.kms_key_id for one in known if one and one.enabled and one.kms_key_id):
        look = partial(kms.usable_key_arn, key, field="target.insights.kms_key_id")
        preflight.look("key of insights", look, found=str)
