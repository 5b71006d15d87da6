"""How many tracking requests per second the endpoint takes: `python bench/ingest.py [--seconds N] [--workers N]`.

wrk sends GET requests with a query string of about 600 bytes over 64 keep-alive connections to the endpoint as the
Procfile runs it, and in the same run to nginx answering `return 204`, the least a server can do. Every visitor is
another one, so all shards are used; nobody drains them. Needs wrk and nginx (Debian: apt install wrk nginx-light).
Prints requests/s, latencies and the CPU time per 1000 requests of the endpoint's processes and of Redis.
"""

import argparse
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import ROOT, children, cpu_seconds, environment, free_port, procfile_command, say, servers, settings

from footfall.queue.stores import open_queue

QUERY = (
    "idsite=1&rec=1&action_name=Catalogue%20-%20Winter%20shoes%20-%20Page%2012&url=https%3A%2F%2Fshop.example.org"
    "%2Fcatalogue%2Fwinter%2Fshoes%2Fpage-12.html%3Fcolor%3Dblack%26size%3D42&urlref=https%3A%2F%2Fwww.example.com"
    "%2Fsearch%3Fq%3Dwinter%2Bshoes&h=12&m=30&s=15&_idn=0&_refts=0&pv_id=a1b2c3&pf_net=12&pf_srv=120&pf_tfr=33"
    "&pf_dm1=210&pf_dm2=90&pf_onl=7&uadata=%7B%22fullVersionList%22%3A%5B%7B%22brand%22%3A%22Chromium%22%2C%22"
    "version%22%3A%22126.0.6478.126%22%7D%5D%2C%22mobile%22%3Afalse%2C%22platform%22%3A%22Windows%22%7D&pdf=1&cookie=1"
    "&res=1920x1080&send_image=0"
)
SCRIPT = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", string.format("/matomo.php?%s&_id=%08x%08x&r=%d", "QUERY", n, math.random(0, 2147483647), n),
    {["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
       .. "Chrome/126.0.0.0 Safari/537.36", ["Accept-Language"] = "en-US,en;q=0.9", ["Accept"] = "*/*"})
end
"""
NGINX = """
worker_processes {workers}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }} }}
"""


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """A server process that answers on a port; its process id."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"{command[0]} does not answer on port {port}")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def load(port: int, pid: int, seconds: int, script: Path) -> dict[str, object]:
    """Send requests for a while; rate, latencies and CPU time per 1000 requests."""
    private = servers()
    pids = children(pid)
    server, stores = cpu_seconds(pids), [cpu_seconds([one]) for one in (private.redis, private.mariadb)]
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count = int(re.search(r"(\d+) requests in", printed)[1])
    if "Non-2xx" in printed or "Socket errors" in printed:
        raise SystemExit(printed)
    return {
        "requests": count,
        "requests_per_second": round(float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])),
        "p50": re.search(r"^\s+50%\s+(\S+)", printed, re.MULTILINE)[1],
        "p99": re.search(r"^\s+99%\s+(\S+)", printed, re.MULTILINE)[1],
        "server_ms_per_1000": round((cpu_seconds(pids) - server) / count * 1e6, 1),
        "redis_ms_per_1000": round((cpu_seconds([private.redis]) - stores[0]) / count * 1e6, 1),
        "mariadb_ms_per_1000": round((cpu_seconds([private.mariadb]) - stores[1]) / count * 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=8, help="how long each server is under load (at most 60)")
    parser.add_argument("--workers", type=int, default=1, help="processes of each server")
    options = parser.parse_args()
    for program in ("wrk", "nginx"):
        if shutil.which(program, path="/usr/local/bin:/usr/bin:/usr/sbin") is None:
            raise SystemExit(f"{program} is not installed: apt install wrk nginx-light")
    own = settings("footfall_bench_ingest", 14)
    queue = open_queue(own)
    queue.empty()
    with tempfile.TemporaryDirectory() as name:
        folder, seconds = Path(name), min(options.seconds, 60)
        script = folder / "request.lua"
        script.write_text(SCRIPT.replace("QUERY", QUERY.replace("%", "%%")))
        port = free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, port=port, workers=options.workers))
        with running(["/usr/sbin/nginx", "-c", str(configuration), "-p", name], port) as pid:
            say({"ingest": "nginx return 204", **load(port, pid, seconds, script)})
        port = free_port()
        *shell, command = procfile_command("api", port)
        command = re.sub(r"--workers \d+", f"--workers {options.workers}", command)
        with running([*shell, command], port, environment(own)) as pid:
            figures = load(port, pid, seconds, script)
        waiting = queue.load().requests
        queue.empty()
        if waiting < int(figures["requests"]):
            raise SystemExit(f"{figures['requests']} requests were answered, but only {waiting} are in the queue")
        say({"ingest": "footfall", "queue": own.queue_backend, **figures})


if __name__ == "__main__":
    main()
