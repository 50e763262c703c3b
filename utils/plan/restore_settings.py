"""The settings of the cluster to be restored: asked for, else as the target had them, else AWS's defaults."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from utils.aws.rds_models import Snapshot
from utils.cluster_settings.model import ClusterSettings, Member, MemberOptions, TargetSettings
from utils.cluster_settings.named_members import of_these_members
from utils.cluster_settings.origins import CLUSTER_FIELDS, Origin, member_path
from utils.errors import InvalidRequest
from utils.identifiers import instance_identifier
from utils.plan.inherited import Base
from utils.request.model import RestoreRequest
from utils.request.target import Target

DEFAULT_CLASS = "db.r8g.large"
# They are of the storage's network: another subnet group has others.
_OF_THE_SUBNETS = ("availability_zones",)


@dataclass(kw_only=True)
class Resolved:
    """The settings, the origin of each by its path, and what could not be taken over."""

    settings: TargetSettings
    origins: dict[str, Origin]
    inherits: bool
    not_taken_over: list[str] = field(default_factory=list)


def resolve_settings(
    request: RestoreRequest, snapshot: Snapshot, key: tuple[str, Origin], base: Base | None
) -> Resolved:
    """Lay the request over the settings of the base; `key` is the KMS key, which can be used, and its origin.

    Raises `InvalidRequest` for instances that do not fit together.
    """
    return _Layers(request, snapshot, key, base if request.target.inherit_settings else None).resolved()


class _Layers:
    def __init__(self, request: RestoreRequest, snapshot: Snapshot, key: tuple[str, Origin], base: Base | None) -> None:
        self._request, self._target, self._base = request, request.target, base
        self._key, self._key_origin = key
        self._version = request.target.engine_version or snapshot.engine_version
        self._origins: dict[str, Origin] = {}
        self._lost: list[str] = []

    def resolved(self) -> Resolved:
        self._origins["engine_version"] = Origin.REQUEST if self._target.engine_version else Origin.SNAPSHOT
        values = {name: self._cluster_value(name) for name in CLUSTER_FIELDS}
        values["kms_key_id"], self._origins["kms_key_id"] = self._key, self._key_origin
        settings = TargetSettings.model_validate(
            values
            | {
                "engine_version": self._version,
                "manage_master_user_password": self._managed_password(),
                "members": self._members(),
            }
        )
        settings = of_these_members(settings, self._target.cluster_id, self._target, self._lost)
        return Resolved(
            settings=settings,
            origins=self._origins,
            inherits=self._target.inherit_settings,
            not_taken_over=self._lost,
        )

    def _cluster_value(self, name: str) -> Any:
        asked = getattr(self._target, name)
        inherited = getattr(self._base.settings, name) if self._base and self._fits(name) else None
        if name == "availability_zones" and inherited and self._base:
            # RDS names zones of the storage that no subnet need be in; where instances are, there are subnets.
            used = {member.availability_zone for member in self._base.settings.members}
            inherited = [zone for zone in inherited if zone in used] or None
        return self._first(name, asked, inherited)

    def _first(self, path: str, asked: Any, inherited: Any) -> Any:
        if asked is not None:
            self._origins[path] = Origin.REQUEST
            return asked
        if inherited is not None and self._base is not None:
            self._origins[path] = self._base.origin
            return inherited
        self._origins[path] = Origin.SNAPSHOT if path == "port" else Origin.AWS_DEFAULT
        return None

    def _fits(self, name: str) -> bool:
        """Tell whether the base's value can be that of the new cluster."""
        if self._base is None:
            return False
        if name in _OF_THE_SUBNETS:
            return self._target.subnet_group in (None, self._base.settings.subnet_group)
        if name == "cluster_parameter_group" and self._target.cluster_parameter_group is None:
            return self._keeps_group("cluster_parameter_group", self._base.settings.cluster_parameter_group)
        return True

    def _keeps_group(self, path: str, group: str | None) -> bool:
        # A parameter group belongs to one major version; another one's would break the restore.
        old_version = self._base.settings.engine_version if self._base else ""
        if _major(old_version) == _major(self._version):
            return True
        if group and not group.startswith("default."):
            self._lost.append(
                f"{path} {group}, which is of version {_major(old_version)}: {_major(self._version)} gets AWS's default"
            )
        return False

    def _managed_password(self) -> bool:
        inherited = self._base.settings.manage_master_user_password if self._base else None
        return bool(self._first("manage_master_user_password", self._request.manage_master_user_password, inherited))

    def _members(self) -> list[Member]:
        instances = self._target.instances
        known = list(self._base.settings.members) if self._base else []
        chosen = _counted(known, instances.count, self._target.cluster_id)
        unknown = sorted(set(instances.named) - {member.identifier for member in chosen})
        if unknown:
            raise InvalidRequest(
                f"{', '.join(unknown)}, which the target will not have",
                field="target.instances.named",
                expected=f"names of {', '.join(member.identifier for member in chosen)}",
                action="correct the names or target.instances.count; nothing was changed",
            )
        inherited = {member.identifier for member in known}
        return [
            self._member(member, is_writer=number == 0, is_new=member.identifier not in inherited)
            for number, member in enumerate(chosen)
        ]

    def _member(self, member: Member, *, is_writer: bool, is_new: bool) -> Member:
        values: dict[str, Any] = {"identifier": member.identifier}
        of_base = self._base.origin if self._base and not is_new else None
        asked_for = Origin.REQUEST if self._target.instances.count else Origin.AWS_DEFAULT
        self._origins[f"members.{member.identifier}"] = of_base or asked_for
        for name in MemberOptions.model_fields:
            path = member_path(member.identifier, name)
            inherited = getattr(member, name)
            if name == "parameter_group" and inherited is not None and not self._keeps_group(path, inherited):
                inherited = None
            if name == "availability_zone" and not self._fits("availability_zones"):
                inherited = None
            if name == "publicly_accessible":
                values[name] = self._public_access(member, path, is_writer=is_writer)
                continue
            if name == "tags" and (is_new or self._target.tags is not None):
                inherited = None
            values[name] = self._first(path, _asked_of(self._target, member.identifier, name, is_writer), inherited)
        values["instance_class"] = values["instance_class"] or DEFAULT_CLASS
        return Member.model_validate(values)

    def _public_access(self, member: Member, path: str, *, is_writer: bool) -> bool:
        """Return what is asked for: a copy of production becomes reachable from the internet by nothing else."""
        asked = _asked_of(self._target, member.identifier, "publicly_accessible", is_writer)
        self._origins[path] = Origin.STACK if asked is None else Origin.REQUEST
        if member.publicly_accessible and not asked:
            self._lost.append(f"public access to {member.identifier}: a copy of production has none unless asked for")
        return bool(asked)


def _asked_of(target: Target, identifier: str, name: str, is_writer: bool) -> Any:
    """Return what the request says of a member's setting: by its name, by its role, or of all."""
    instances = target.instances
    role = instances.writer if is_writer else instances.readers
    layers: Iterable[MemberOptions | None] = (instances.named.get(identifier), role, instances)
    asked = next((value for layer in layers if layer and (value := getattr(layer, name)) is not None), None)
    return target.instance_parameter_group if asked is None and name == "parameter_group" else asked


def _counted(known: list[Member], count: int | None, target_id: str) -> list[Member]:
    """Return as many members as wanted: the known ones, the writer first, then others like the last of them."""
    wanted = count or len(known) or 1
    names = {member.identifier for member in known}
    free = (name for number in range(1, 100) if (name := instance_identifier(target_id, number)) not in names)
    members = known[:wanted]
    while len(members) < wanted:
        like = members[-1] if members else Member(identifier=target_id)
        members.append(like.model_copy(update={"identifier": next(free), "availability_zone": None}))
    return members


def tags_of_members(settings: ClusterSettings, member: Member) -> dict[str, str]:
    """Return the tags that people want on a member: its own, else the cluster's."""
    return dict(settings.tags or {}) if member.tags is None else dict(member.tags)


def _major(engine_version: str) -> str:
    return engine_version.split(".", 1)[0]
