"""What `paved.yaml` says of a service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pavedroad.core.errors import InvalidInput
from pavedroad.core.names import LONGEST, ClusterName
from pavedroad.manifest.values import (
    BaseName,
    Command,
    Count,
    Detail,
    Drain,
    Duration,
    HealthPath,
    InstanceType,
    Interval,
    Line,
    Matcher,
    NamePart,
    Owner,
    Port,
    Region,
    Setting,
    Threshold,
    Timeout,
    Variable,
    Zone,
)

_LONGEST = LONGEST - len("-v000")
"""Of a cluster's name: those of its server groups are longer."""

BuildKind = Literal["python", "node", "command"]
StrategyKind = Literal["red-black", "highlander", "none"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Build(_Part):
    """How the folder becomes an image."""

    kind: BuildKind | None = None
    """Guessed from the folder when left out: pyproject.toml, requirements.txt or a wheel is python,
    package.json is node, anything else is copied as it is."""
    command: Command | None = Field(default=None, examples=["npm run build"])
    """Run in a copy of the folder; what it leaves there is what is shipped."""
    packages: tuple[Line, ...] = Field(default=(), examples=[["datasette==0.65.1"]])
    """Python requirements besides the folder's own."""
    base: BaseName | None = Field(default=None, examples=["python3.11"])
    """The base image; by default the one for the kind."""
    include: tuple[Line, ...] = ()
    """Only files that match one of these patterns (as in .gitignore) are shipped."""
    exclude: tuple[Line, ...] = Field(default=(), examples=[["docs/", "*.log"]])
    """Files that match one of these patterns (as in .gitignore) are not shipped."""

    @model_validator(mode="after")
    def _whole(self) -> Build:
        if self.kind == "command" and self.command is None:
            raise ValueError("kind command together with a 'command'")
        if self.packages and self.kind not in {None, "python"}:
            raise ValueError("'packages' with kind python only")
        return self


class Health(_Part):
    """How the balancer asks an instance whether it is well."""

    path: HealthPath = "/"
    """Answered with a status that `matcher` allows when all is well."""
    interval: Interval = 2.0
    """From one check to the next."""
    timeout: Timeout = 1.0
    """An answer that takes longer is a failed check."""
    healthy: Threshold = 2
    """Checks in a row that must succeed before traffic comes."""
    unhealthy: Threshold = 2
    """Checks in a row that must fail before traffic goes elsewhere."""
    matcher: Matcher = "200-399"
    """The statuses that are healthy."""

    @model_validator(mode="after")
    def _patient(self) -> Health:
        if self.timeout > self.interval:
            raise ValueError("a timeout no longer than the interval")
        return self


class Capacity(_Part):
    """How many instances the server group has."""

    minimum: Count
    """Never fewer."""
    desired: Count
    """To start with."""
    maximum: Count
    """Never more."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, value: object) -> object:
        """A size left out is the nearest one given."""
        if not isinstance(value, dict):
            return value
        sizes = cast("dict[str, object]", value)
        given = [sizes[name] for name in ("desired", "minimum", "maximum") if name in sizes]
        if not given:
            return sizes
        known = {
            "minimum": sizes.get("minimum", given[0]),
            "desired": sizes.get("desired", sizes.get("minimum", given[0])),
            "maximum": sizes.get("maximum", sizes.get("desired", given[-1])),
        }
        return {**sizes, **known}

    @model_validator(mode="after")
    def _ordered(self) -> Capacity:
        if not self.minimum <= self.desired <= self.maximum:
            raise ValueError("minimum <= desired <= maximum")
        return self


class Strategy(_Part):
    """How a new server group takes over from the old."""

    kind: StrategyKind = "red-black"
    """red-black keeps the old group warm for a rollback, highlander deletes it at once, none leaves it be."""
    boot_timeout: Duration = 300.0
    """A group that is not healthy by then is taken away, and the deployment fails."""
    shrink_after: Duration = 600.0
    """When the old group goes to zero instances."""
    delete_after: Duration = 3600.0
    """When the old group goes altogether."""
    drain: Drain = 10.0
    """How long requests in flight may take when an instance leaves the balancer."""


def _build(value: object) -> object:
    if isinstance(value, str):
        return {"kind": value} if value in {"python", "node"} else {"kind": "command", "command": value}
    return value


def _under(name: str) -> BeforeValidator:
    """A plain value stands for a mapping with just that field."""

    def expand(value: object) -> object:
        return cast("object", value) if isinstance(value, Mapping | BaseModel) else {name: value}

    return BeforeValidator(expand)


def _capacity(value: object) -> object:
    if isinstance(value, Mapping | BaseModel):
        return cast("object", value)
    return {"minimum": value, "desired": value, "maximum": value}


class Manifest(_Part):
    """One service: what it is called, how it is built and run, and how it is shipped."""

    model_config = ConfigDict(title="paved.yaml")

    application: NamePart = Field(examples=["hello"])
    """The service's name."""
    owner: Owner = Field(examples=["team-road"])
    """The team, or the e-mail address, that answers for it."""
    stack: NamePart | None = Field(default=None, examples=["prod"])
    """The second part of the cluster's name."""
    detail: Detail | None = Field(default=None, examples=["eu"])
    """The third part of the cluster's name."""
    region: Region = "us-east-1"
    """Where it runs."""
    build: Annotated[Build, BeforeValidator(_build)] = Build()
    """How the folder becomes an image; as plain text `python`, `node`, or a command to run."""
    command: Command = Field(examples=["hello --host $HOST --port $PORT"])
    """What an instance runs, in the shipped folder, by /bin/sh. It listens on $PORT, at $HOST or 0.0.0.0."""
    environment: dict[Variable, Setting] = Field(default={}, examples=[{"LOG_LEVEL": "info"}])
    """Variables that the instances get."""
    port: Port = 8080
    """What the service listens on; it is given as $PORT."""
    listen: Port = 80
    """What the load balancer listens on."""
    health: Annotated[Health, _under("path")] = Health()
    """How the balancer asks whether an instance is well; as plain text the path alone."""
    capacity: Annotated[Capacity, BeforeValidator(_capacity)] = Capacity(minimum=3, desired=3, maximum=3)
    """How many instances; a plain number is all three sizes."""
    zones: tuple[Zone, ...] = Field(default=(), examples=[["us-east-1a", "us-east-1b"]])
    """Where in the region; all of its zones when left out."""
    instance_type: InstanceType = "t3.micro"
    """The size of an instance."""
    strategy: Annotated[Strategy, _under("kind")] = Strategy()
    """How a new version takes over; as plain text the kind alone."""
    stop: Drain = 30.0
    """From SIGTERM to SIGKILL."""

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        try:
            ClusterName.parse(str(self.cluster))
        except InvalidInput as refusal:
            raise ValueError(
                "application, stack and detail that do not end in a version such as -v003 together, "
                f"and have at most {_LONGEST} characters"
            ) from refusal
        if len(str(self.cluster)) > _LONGEST:
            raise ValueError(f"application, stack and detail of at most {_LONGEST} characters together")
        if astray := next((zone for zone in self.zones if zone[:-1] != self.region), None):
            raise ValueError(f"zones of the region {self.region} ({astray} is not one)")
        return self

    @property
    def cluster(self) -> ClusterName:
        return ClusterName(self.application, self.stack, self.detail)

    @property
    def digest(self) -> str:
        """Of all that the manifest says, however it was written."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def known_fields(path: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of the part of a manifest that `path` leads to; none where there are no such."""
    part: type[BaseModel] = Manifest
    for name in path:
        field = part.model_fields.get(name)
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return ()
        part = field.annotation
    return tuple(part.model_fields)
