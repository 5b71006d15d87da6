"""The installation that is looked at: its settings and servers, and what several checks want to know of these."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from redis import Redis

from footfall.clock import Clock
from footfall.database import Database
from footfall.queue.backend import Backend
from footfall.queue.redis.connection import connect
from footfall.queue.spool import Spool
from footfall.queue.state import QueueState, read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings


class Installation:
    """One installation, as this machine sees it. What was read once is kept."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    @cached_property
    def database(self) -> Database:
        """The connection.

        Raises:
            ConfigurationError: DATABASE_URL is not of the form.
        """
        return Database(self.settings)

    @cached_property
    def queue(self) -> Backend:
        """The queue's store.

        Raises:
            ConfigurationError: its settings make no sense.
        """
        return open_queue(self.settings)

    @cached_property
    def redis(self) -> Redis:
        """A client of Redis, where the queue lies there.

        Raises:
            ConfigurationError: REDIS_URL is not of the form.
        """
        return connect(self.settings.redis_url)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """The global variables of MySQL or MariaDB, by name in small letters."""
        return {str(name).lower(): str(value) for name, value in self.database.query("SHOW GLOBAL VARIABLES")}

    @cached_property
    def counters(self) -> Mapping[str, str]:
        """The global status variables of MySQL or MariaDB, by name in small letters."""
        return {str(name).lower(): str(value) for name, value in self.database.query("SHOW GLOBAL STATUS")}

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What Redis says about itself."""
        return self.redis.info()

    @cached_property
    def state(self) -> QueueState:
        """The queue as it stands."""
        return read_state(self.queue, self.clock, self.settings.queue_batch_size)

    @cached_property
    def spool(self) -> Spool:
        """The spool of this machine.

        Raises:
            ConfigurationError: SPOOL_FSYNC is none of its words.
        """
        return Spool(self.settings.spool_directory, self.settings.spool_bytes, self.settings.spool_fsync)

    def number(self, variable: str) -> int:
        """A global variable of the database as a whole number: 1 and 0 for ON and OFF; 0 when there is none."""
        value = self.variables.get(variable, "0")
        return {"on": 1, "off": 0}.get(value.lower(), 0) if not value.lstrip("-").isdigit() else int(value)
