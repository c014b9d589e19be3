"""Decoded films and pictures kept on disk, so that only the first look pays for decoding."""

import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIMIT = 4 * 2**30

logger = logging.getLogger(__name__)


class DiskCache:
    """Bytes by name in a folder, at most `limit` of them in all; those unused longest go first."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._unswept = limit
        self._lock = threading.Lock()

    def get_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What is kept under the name, or else what `make` gives, which is then kept."""
        place = self._folder / name
        with suppress(FileNotFoundError):
            body = place.read_bytes()
            os.utime(place)
            return body
        body = make()
        self._keep(place, body)
        return body

    def _keep(self, place: Path, body: bytes) -> None:
        temporary = self._folder / f".{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(body)
            temporary.replace(place)
        except OSError as error:
            # A full disk must not keep a film from being shown: it only stays slow.
            temporary.unlink(missing_ok=True)
            logger.warning("%s could not be cached: %s", place.name, error)
            return
        with self._lock:
            self._unswept += len(body)
            if self._unswept < self._limit // 8:
                return
            self._unswept = 0
        self._sweep()

    def _sweep(self) -> None:
        kept = []
        for place in self._folder.iterdir():
            with suppress(FileNotFoundError):
                facts = place.stat()
                kept.append((facts.st_atime_ns, facts.st_size, place))
        total = sum(size for _, size, _ in kept)
        for _, size, place in sorted(kept):
            if total <= self._limit:
                return
            place.unlink(missing_ok=True)
            total -= size
