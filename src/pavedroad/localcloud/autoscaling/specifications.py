"""What to launch next: a group's source resolved to the ways in which one instance can be launched."""

from __future__ import annotations

from dataclasses import dataclass, field

from pavedroad.localcloud.autoscaling.model import Group, Region
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    MixedPolicy,
    TemplateChoice,
    TemplateUse,
)
from pavedroad.localcloud.ports import Compute, LaunchData, LaunchTemplateVersion


@dataclass(frozen=True, slots=True)
class LaunchSpecification:
    """One way to launch an instance."""

    data: LaunchData
    template: TemplateUse | None = None
    configuration: str | None = None
    weight: int | None = None


@dataclass(slots=True)
class Specifications:
    """A group's, looked up once a pass."""

    region: Region
    group: Group
    compute: Compute
    _templates: dict[TemplateChoice, LaunchTemplateVersion] = field(
        default_factory=dict[TemplateChoice, LaunchTemplateVersion]
    )

    def next(self) -> list[LaunchSpecification]:
        """Those that the group's next instance may be launched from, the preferred first."""
        source = self.group.source
        if isinstance(source, ConfigurationChoice):
            found = self.region.configurations[source.name]
            return [LaunchSpecification(found.data, configuration=found.name)]
        if isinstance(source, MixedPolicy):
            source = source.template
        resolved = self.template(source)
        return [LaunchSpecification(resolved.data, template=_use(resolved))]

    def template(self, choice: TemplateChoice) -> LaunchTemplateVersion:
        if choice not in self._templates:
            self._templates[choice] = self.compute.launch_template(choice.id, choice.version or "$Default")
        return self._templates[choice]


def _use(resolved: LaunchTemplateVersion) -> TemplateUse:
    return TemplateUse(resolved.template_id, resolved.template_name, resolved.version)
