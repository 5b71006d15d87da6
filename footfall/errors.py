"""Errors that a person reads: each message says what is wrong and what to do about it."""


class FootfallError(Exception):
    """Something a person has to know or do; commands print it alone and end with status 1."""


class ConfigurationError(FootfallError):
    """A setting is missing or makes no sense."""


class DatabaseUnavailable(FootfallError):
    """MySQL/MariaDB cannot be reached or refuses us."""


class Conflict(FootfallError):
    """Somebody else came in between: the same transaction may succeed when it is tried again."""


class QueueUnavailable(FootfallError):
    """The store that the queue lies in cannot be reached or refuses us."""


class InvalidInput(FootfallError):
    """An argument given by a person (a date, a site list, a period) cannot be understood."""


class WrongPassword(InvalidInput):
    """A password that was given to prove who somebody is, and is not theirs."""


class AccessDenied(FootfallError):
    """The caller may not do this, or has not said who it is."""
