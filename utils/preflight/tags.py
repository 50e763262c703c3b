"""Whether cluster and instances may bear their tags beside the pipeline's own."""

from utils import tags
from utils.cluster_settings.model import TargetSettings
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight
from utils.words import counted


def look_at_tags(preflight: Preflight, settings: TargetSettings) -> None:
    """Refuse more of people's tags than leave room: those of a target that is inherited were counted by nobody."""
    preflight.look("number of tags", lambda: _check(settings), found=lambda most: f"at most {counted(most, 'tag')}")


def _check(settings: TargetSettings) -> int:
    of_cluster = settings.tags or {}
    borne = {"the cluster": len(of_cluster)} | {
        f"instance {member.identifier}": len(of_cluster if member.tags is None else member.tags)
        for member in settings.members
    }
    too_many = [
        f"{counted(number, 'tag')} for {what}" for what, number in borne.items() if number > tags.MOST_OF_A_REQUEST
    ]
    if too_many:
        raise TargetNotBuildable(
            ", ".join(too_many),
            field="target.tags",
            expected=f"at most {tags.MOST_OF_A_REQUEST} each: RDS takes 50, and 5 are the pipeline's own",
            action="name fewer in target.tags (and target.instances.tags), or take some off the target; "
            "then start a new run",
        )
    return max(borne.values())
