"""What a user agent costs that nobody has seen before: `python bench/devices.py [--agents N]`.

The user agents are those that the package device_detector ships, real ones of 20 years and far more varied than a
site's. Prints, beside the package's own detection, the time to the first answer with the rules read and made ready
(`start_ms`), the mean of the first N (regular expressions compiled as they are needed) and of the N again, the slowest,
and the memory that it all takes.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

from support import say

PACKAGE_AGENTS = 300  # of the package's own detection, which takes its time


def user_agents(count: int) -> list[str]:
    """User agents in an order that is the same each time."""
    import yaml_rs  # not in the processes whose memory is measured

    paths = sorted(files("device_detector").joinpath("tests/fixtures/upstream").iterdir(), key=lambda path: path.name)
    answers = [answer for path in paths if path.name.endswith(".yml") for answer in yaml_rs.loads(path.read_text())]
    return random.Random(1).sample([answer["user_agent"] for answer in answers], count)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def measure(which: str, agents: list[str]) -> None:
    count = len(agents)
    memory, started = resident_mb(), time.perf_counter()
    if which == "footfall":
        from footfall.tracking.detection.detector import detect
    else:
        from device_detector import DeviceDetector

        def detect(user_agent: str) -> object:  # type: ignore[misc]
            return DeviceDetector(user_agent, check_cache=False).parse()

    detect(agents[0])
    first = time.perf_counter()
    times = []
    for agent in agents + agents:
        begun = time.perf_counter()
        detect(agent)
        times.append(time.perf_counter() - begun)
    say(
        {
            "detection": which,
            "agents": count,
            "start_ms": round((first - started) * 1000),
            "new_ms": round(sum(times[:count]) / count * 1000, 3),
            "again_ms": round(sum(times[count:]) / count * 1000, 3),
            "slowest_ms": round(max(times) * 1000, 1),
            "memory_mb": round(resident_mb() - memory),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--only", choices=("footfall", "package"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measure(options.only, json.load(sys.stdin))
        return
    for which, count in (("footfall", options.agents), ("package", PACKAGE_AGENTS)):
        agents = json.dumps(user_agents(count))
        subprocess.run([sys.executable, __file__, "--only", which], input=agents, text=True, check=True)


if __name__ == "__main__":
    main()
