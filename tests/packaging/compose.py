"""The compose file, typed: what the tests look at."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

FILE = Path(__file__).resolve().parents[2] / "compose.yaml"


class Health(BaseModel):
    """How a service is asked whether it is well."""

    test: list[str]


class Logging(BaseModel):
    """Where a service's output goes, and how much of it is kept."""

    driver: str
    options: dict[str, str]


class Service(BaseModel):
    """One container. A key that no test knows of is refused, so that none slips in unseen."""

    model_config = ConfigDict(extra="forbid")

    build: str
    image: str
    init: bool
    read_only: bool
    tmpfs: list[str]
    cap_drop: list[str]
    security_opt: list[str]
    pids_limit: int
    mem_limit: str
    restart: str
    stop_grace_period: str
    logging: Logging
    volumes: list[str]
    command: list[str] = Field(default_factory=list)
    depends_on: list[str] = Field(default_factory=list)
    env_file: list[str] = Field(default_factory=list)
    ports: list[str] = Field(default_factory=list)
    healthcheck: Health | None = None

    @property
    def mounts(self) -> dict[str, tuple[str, bool]]:
        """By the path in the container: what lies there, and whether it may be written."""
        parts = (volume.split(":") for volume in self.volumes)
        return {place: (what, mode != ["ro"]) for what, place, *mode in parts}


class Compose(BaseModel):
    """The whole file."""

    services: dict[str, Service]
    volumes: dict[str, None]


def read_compose() -> Compose:
    """The file as it is, with what its services share put into each."""
    return Compose.model_validate(YAML(typ="safe", pure=True).load(FILE))
