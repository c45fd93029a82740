"""Every setting of the platform, read from the environment (`PAVED_...`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pavedroad.core.callers import host_and_port
from pavedroad.core.errors import InvalidInput
from pavedroad.core.networking import Mode
from pavedroad.core.numbers import whole
from pavedroad.core.places import Places

LOOPBACK = "127.0.0.1"
AWS = "aws"
_SHOWN = 200
"""Characters of a wrong value; of an address none, since a password may be in it."""
_DATABASE = re.compile(r"(sqlite|postgres(ql)?)(\+[a-z0-9]+)?://")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")


def _written(value: Any) -> Any:
    return whole(value) if isinstance(value, str) else value


def _hosts(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError('it is no JSON list of names, such as ["paved.example"]') from None


Number = Annotated[int, BeforeValidator(_written)]


class Settings(BaseSettings):
    """What may be set. The command line's options override these for the processes that it starts."""

    model_config = SettingsConfigDict(env_prefix="PAVED_", env_ignore_empty=True, frozen=True)

    home: Path = Field(
        default_factory=lambda: Places.default().home,
        description="Where Pavedroad keeps its state. Default: $XDG_STATE_HOME/pavedroad.",
    )
    port: Number = Field(4570, ge=1, le=65535, description="The port of the API and the portal, on loopback.")
    cloud_port: Number = Field(
        4566, ge=1, le=65535, description="The port of the private cloud's AWS endpoint, on loopback."
    )
    cloud_network: Mode = Field(
        "shared",
        description="The network of the private cloud's instances: `shared` is the machine's, where security "
        "groups are recorded only; with `namespaces` each has one of its own, where they hold. Needs "
        "Linux and root, or user namespaces.",
    )
    cloud_open: bool = Field(
        False,
        description="Whether the private cloud takes any credentials, from every user of this machine, "
        "instead of signatures by a key of its own.",
    )
    cloud_instance_limit: Number = Field(
        2000, ge=1, description="Instances that an account of the private cloud may have in a region."
    )
    cloud_vcpu_limit: Number = Field(
        16000, ge=1, description="vCPUs of running instances, likewise, of one bucket and market."
    )
    readable: str = Field(
        "",
        description="Folders, separated by `:`, that instances and builds may read and run programs from "
        "besides the system's and their own.",
    )
    confinement: Literal["auto", "none"] = Field(
        "auto", description="`none` lets instances and builds see all that the platform's user may."
    )
    endpoint_url: str = Field(
        "",
        description="The cloud to drive: empty for the private cloud, `aws` for AWS itself, "
        "or the URL of another AWS-compatible endpoint.",
    )
    region: str = Field("us-east-1", description="The region that pages and commands show first.")
    database_url: str = Field(
        "",
        description="SQLAlchemy URL of the platform's database. Default: a SQLite file in the home folder.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = Field(
        (), description="JSON list of further names, perhaps with a port, by which the API may be called."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe line that goes to the logs."
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if host_and_port(host) is None:
                raise ValueError(f"'{host}' is no name or address, nor one with a port")
        return hosts

    @field_validator("readable")
    @classmethod
    def _are_folders(cls, folders: str) -> str:
        for folder in filter(None, folders.split(":")):
            if not folder.startswith("/"):
                raise ValueError(f"'{folder}' is no absolute path")
        return folders

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: str) -> str:
        # Without its library: whoever only supervises has no use for it.
        if url and _DATABASE.match(url) is None:
            raise ValueError("it is neither postgresql://user:password@host/name nor sqlite:////path")
        return url

    @field_validator("region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        if _REGION.fullmatch(region) is None:
            raise ValueError("a region is called such as us-east-1")
        return region

    @field_validator("endpoint_url")
    @classmethod
    def _is_endpoint(cls, url: str) -> str:
        if url not in {"", AWS} and not _is_address(url):
            raise ValueError("it is neither 'aws' nor an address such as http://127.0.0.1:4566")
        return url

    @classmethod
    def read(cls) -> Settings:
        """From the environment; a wrong value is one sentence that names the variable."""
        try:
            return cls()  # pyright: ignore[reportCallIssue]
        except ValidationError as error:
            first = error.errors()[0]
            variable = f"PAVED_{first['loc'][0]}".upper()
            why = first["msg"].removeprefix("Value error, ")
            shown = "not one" if variable.endswith("_URL") else f"'{str(first['input'])[:_SHOWN]}'"
            raise InvalidInput(
                f"The setting {variable} is {shown}: {why[:1].lower()}{why[1:]}.",
                next_step=f"Set {variable} to a valid value, or unset it.",
            ) from error

    @property
    def places(self) -> Places:
        return Places(self.home.expanduser().absolute())

    @property
    def url(self) -> str:
        """Where the API and the portal answer."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def private_cloud(self) -> bool:
        """Whether the cloud is the one in the box."""
        return not self.endpoint_url

    @property
    def endpoint(self) -> str | None:
        """The AWS endpoint to talk to; None is AWS's own."""
        if self.endpoint_url == AWS:
            return None
        return self.endpoint_url or f"http://{LOOPBACK}:{self.cloud_port}"


def _is_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        known = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
    return known and url.isprintable() and " " not in url
