"""Passwords, stored as Matomo stores them: bcrypt of the MD5 in hex, so that both let the same people in."""

import hashlib

import bcrypt

SHORTEST, LONGEST = 6, 200
_PHP_PREFIX, _PREFIX = b"$2y$", b"$2b$"  # two names of the same hash; PHP writes the first
_NOBODYS = bcrypt.hashpw(b"", bcrypt.gensalt(10))


def hashed(password: str) -> str:
    """What is stored of a password."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(10)).replace(_PREFIX, _PHP_PREFIX, 1).decode()


def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password that was stored; takes as long for nobody's (None) as for somebody's."""
    try:
        right = bcrypt.checkpw(_digest(password), (stored or "").encode() or _NOBODYS)
    except ValueError:  # what is stored is no hash: nobody can log in with a password
        return False
    return right and bool(stored)


def _digest(password: str) -> bytes:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest().encode()
