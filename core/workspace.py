"""Where a run leaves what it makes: one folder, READING_ROOM_HOME, and the places inside it."""

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "READING_ROOM_HOME"
DATABASE_VARIABLE = "READING_ROOM_DATABASE_URL"
STORE_VARIABLE = "READING_ROOM_STORE_URL"


@dataclass(frozen=True)
class Workspace:
    home: Path

    @property
    def database_url(self) -> str:
        return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{self.home / 'reading-room.db'}"

    @property
    def store_url(self) -> str:
        return os.environ.get(STORE_VARIABLE) or str(self.home / "store")

    @property
    def tries_url(self) -> str:
        """Where films lie that are tried and not imported, until they are forgotten."""
        return f"{self.store_url}/tries"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def weights(self) -> Path:
        """Where pretrained weights that no package holds may be put."""
        return self.home / "weights"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def labeler_rules(self) -> Path:
        """Rules of the project's own, laid over those that the labeler comes with."""
        return self.home / "labeler.toml"

    @property
    def secret(self) -> Path:
        return self.home / "secret"

    def job_log(self, job: int) -> Path:
        return self.logs / f"job-{job}.log"

    def prepare(self) -> "Workspace":
        """Make the folders, readable by their owner alone: what they hold is health data."""
        for folder in (self.home, self.models, self.cache, self.logs, self.backups):
            folder.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        return self


def workspace() -> Workspace:
    return Workspace(Path(os.environ.get(HOME_VARIABLE) or "workspace").resolve())
