"""What is installed on this machine, and what it may do."""

import importlib
import platform
import re
import resource
import sys
from importlib.metadata import PackageNotFoundError, requires, version

import mysql.connector
from redis.utils import HIREDIS_AVAILABLE

from footfall.health.finding import Check, Finding, ok, warning
from footfall.health.installation import Installation

_PINNED = re.compile(r"([\w.-]+)==([\w.]+)")
_OTHER_FILES = 200  # of an endpoint process, beside its connections


def interpreter(_: Installation) -> Finding:
    """Python and Footfall."""
    text = f"Footfall {version('footfall')} on Python {platform.python_version()}"
    if not (3, 11) <= sys.version_info < (3, 14):
        return warning(f"{text}, which it is not tested with", "use Python 3.11 to 3.13.")
    return ok(text)


def packages(_: Installation) -> Finding:
    """Whether the packages are those that this version was tested with."""
    pins = [match.groups() for line in requires("footfall") or () if (match := _PINNED.match(line))]
    wrong = []
    for name, pinned in pins:
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "missing"
        if installed != pinned:
            wrong.append(f"{name} {installed} instead of {pinned}")
    if wrong:
        return warning(
            f"not the packages that this version was tested with: {', '.join(wrong)}",
            "install those of requirements.txt.",
        )
    return ok(f"all {len(pins)} packages are those of requirements.txt")


def extensions(_: Installation) -> Finding:
    """Whether what is written in C is used: without it everything works, at several times the processor time."""
    missing = [] if mysql.connector.HAVE_CEXT else ["mysql-connector (workers take three times the processor time)"]
    if not HIREDIS_AVAILABLE:
        missing.append("hiredis (reading the queue takes twice the processor time)")
    missing += [f"{name} (the endpoint)" for name in ("uvloop", "httptools") if not _can_import(name)]
    if missing:
        return warning(
            f"C extensions that cannot be loaded: {', '.join(missing)}", "install those of requirements.txt anew."
        )
    return ok("the C extensions of mysql-connector, hiredis, uvloop and httptools are used")


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def open_files(installation: Installation) -> Finding:
    """Whether an endpoint process may open as many connections as it is allowed to."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = installation.settings.max_connections + _OTHER_FILES
    if most != resource.RLIM_INFINITY and most < needed:
        return warning(
            f"a process of this shell may open {most} files; an endpoint with MAX_CONNECTIONS needs {needed}",
            f"raise it where the endpoint is started (`ulimit -n {needed}`, LimitNOFILE), or lower MAX_CONNECTIONS.",
        )
    return ok(f"a process may open {'any number of' if most == resource.RLIM_INFINITY else most} files")


CHECKS = (
    Check("programs.python", interpreter),
    Check("programs.packages", packages),
    Check("programs.c-extensions", extensions),
    Check("programs.open-files", open_files),
)
