"""Every setting of the platform, read from the environment (`PAVED_...`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pavedroad.core.errors import InvalidInput
from pavedroad.core.networking import Mode
from pavedroad.core.places import Places

LOOPBACK = "127.0.0.1"
AWS = "aws"


class Settings(BaseSettings):
    """What may be set. The command line's options override these for the processes that it starts."""

    model_config = SettingsConfigDict(env_prefix="PAVED_", frozen=True)

    home: Path = Field(
        default_factory=lambda: Places.default().home,
        description="Where Pavedroad keeps its state. Default: $XDG_STATE_HOME/pavedroad.",
    )
    port: int = Field(4570, ge=1, le=65535, description="The port of the API and the portal, on loopback.")
    cloud_port: int = Field(
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
    allowed_hosts: tuple[str, ...] = Field(
        (), description="JSON list of further names, perhaps with a port, by which the API may be called."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe line that goes to the logs."
    )

    @classmethod
    def read(cls) -> Settings:
        """From the environment; a wrong value is one sentence that names the variable."""
        try:
            return cls()  # pyright: ignore[reportCallIssue]
        except ValidationError as error:
            first = error.errors()[0]
            variable = "PAVED_" + "_".join(str(part) for part in first["loc"]).upper()
            raise InvalidInput(
                f"The setting {variable} is '{first['input']}': {first['msg']}.",
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
