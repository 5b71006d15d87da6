"""How fast web server logs are imported: `python bench/import.py [--lines N] [--through N]`.

Makes a log of N lines in the combined format (default 1,000,000; visitors, pages, bots, images, errors as sites have
them) and prints, a line each:

    parse     lines per second of CPU time that one process takes apart: this log, then 100,000 lines of each format
    choose    the same with everything that is done with a line before the queue: chosen, made a request of
    import    from the file to the queue, the first --through lines (default 100,000): CPU time per 1000 lines
    record    requests per second that one worker records of what that put into the queue
    through   the same lines from the file to MariaDB: `footfall import` beside `queue_workers run` with one worker

Servers: those of `make services`; the database footfall_bench_import and Redis db 14 are emptied.
"""

import argparse
import gzip
import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from redis import Redis
from support import cpu_seconds, environment, say, servers, settings

from footfall.cli.reset import empty_database
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.counts import Counts
from footfall.importing.destinations import Destinations
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.importer import Importer
from footfall.importing.ledger import Ledger
from footfall.importing.log import Log
from footfall.importing.requests import PageRequests
from footfall.queue.lanes import IMPORT
from footfall.queue.layouts import all_shards
from footfall.queue.producer import Producer
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

SAMPLES = Path(__file__).resolve().parent.parent / "tests" / "conformance" / "import"
BEGIN = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{100 + n % 40}.0.{n}.0 "
    "Safari/537.36"
    for n in range(400)
]
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
]
REFERRERS = ["-", "https://bench.example.org/", "https://www.google.com/", "https://news.example.net/story?id=17"]


def write_log(path: Path, lines: int, dice: random.Random) -> None:
    """A log of about ten lines a second: 45 % pages, 45 % parts of pages, 5 % bots, 3 % errors, 2 % downloads."""
    with path.open("w") as file:
        for number in range(lines):
            kind = dice.random()
            page = int(dice.paretovariate(1.1)) % 20_000
            target = f"/catalogue/section-{page % 40}/page-{page}.html?color={page % 7}"
            if kind < 0.45:
                target = f"/assets/{page % 300}.{('css', 'js', 'png', 'woff2')[page % 4]}"
            elif kind < 0.47:
                target = f"/files/{page % 100}.pdf"
            visitor = number // 40 % 60_000 + dice.randrange(60)
            agent = dice.choice(BOTS) if kind > 0.95 else AGENTS[visitor % len(AGENTS)]
            moment = datetime.fromtimestamp(BEGIN + number // 10, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
            file.write(
                f'198.51.{visitor // 250 % 250}.{visitor % 250} - - [{moment}] "GET {target} HTTP/1.1" '
                f'{404 if 0.47 < kind < 0.5 else 200} {dice.randrange(100_000)} "{dice.choice(REFERRERS)}" "{agent}"\n'
            )


def parse(name: str, path: Path, most: int) -> None:
    """Read a log and make nothing of its lines."""
    log = Log(str(path), FormatOptions(), Counts(), SystemClock())
    log.recognise(path.open().read(50_000).splitlines()[:-1])
    started, count = time.process_time(), 0
    for _ in log.read():
        count += 1
        if count == most:
            break
    say({"parse": name, "lines": count, "lines_per_cpu_second": round(count / (time.process_time() - started))})


class Silent:
    """Shows no progress."""

    def opened(self, bytes_in_all: int) -> None: ...

    def moved(self, consumed: int) -> None: ...

    def waits(self, reason: str) -> None: ...


def choose(own: Settings, path: Path) -> None:
    """Do with a log what a trial does."""
    started, counts = time.process_time(), Counts()
    import_log(own, path, counts, None)
    seconds = time.process_time() - started
    say({"choose": "combined", "requests": counts.imported, "lines_per_cpu_second": round(counts.lines / seconds)})


def import_log(own: Settings, path: Path, counts: Counts, queue: Producer | None) -> None:
    """Import a log to site 1."""
    with closing(Database(own)) as database, closing(Database(own)) as ledger:
        pages = PageRequests(Choice(ChoiceOptions()), Destinations(database, 1))
        Importer(
            *(Ledger(ledger, SystemClock()), queue, pages, FormatOptions(), counts, SystemClock(), Silent()),
            lambda: False,
        ).run([str(path)])


def prepare(own: Settings) -> None:
    """Empty the database but for a site, and the queue."""
    with closing(Database(own)) as database, Redis.from_url(own.redis_url) as redis:
        redis.flushdb()
        empty_database(database)
        database.execute(
            "INSERT INTO site (idsite, name, main_url, timezone, currency, sitesearch_keyword_parameters, "
            "sitesearch_category_parameters, excluded_ips, excluded_parameters, excluded_user_agents, "
            "excluded_referrers, `group`, type) VALUES (1, 'Bench', 'https://bench.example.org', 'UTC', 'EUR', "
            "'', '', '', '', '', '', '', 'website')"
        )


def measure_import(own: Settings, path: Path) -> int:
    """From the file to the queue; how many requests that were."""
    counts, private = Counts(), servers()
    before = time.process_time(), cpu_seconds([private.mariadb]), cpu_seconds([private.redis])
    started = time.perf_counter()
    with Producer(own, IMPORT) as producer:
        import_log(own, path, counts, producer)
    seconds = time.perf_counter() - started
    after = time.process_time(), cpu_seconds([private.mariadb]), cpu_seconds([private.redis])
    spent = [(late - early) / counts.lines * 1e6 for early, late in zip(before, after, strict=True)]
    say(
        {
            "import": "combined",
            "lines": counts.lines,
            "requests": counts.imported,
            "lines_per_second": round(counts.lines / seconds),
            **{f"{who}_ms_per_1000": round(ms, 1) for who, ms in zip(("own", "mariadb", "redis"), spent, strict=True)},
        }
    )
    return counts.imported


def record(own: Settings, requests: int) -> None:
    """Record what is in the queue, with one worker, in this process."""
    clock, queue = SystemClock(), open_queue(own)
    with closing(Database(own)) as database:
        tools = new_tools(own, clock, database, queue, Recorder(database, own, clock), patience=IMPATIENT)
        started = time.perf_counter()
        while waiting := [shard for shard, depth in queue.depths(all_shards(queue)).items() if depth]:
            for shard in waiting:
                drain(tools, shard)
        say({"record": "one worker", "requests_per_second": round(requests / (time.perf_counter() - started))})


def through(own: Settings, path: Path, requests: int) -> None:
    """From the file to MariaDB, as people run it; the time of the worker's start is not in it."""
    programs, queue, quiet = Path(sys.executable).parent, open_queue(own), subprocess.DEVNULL
    pool = subprocess.Popen(
        [programs / "queue_workers", "run", "--workers", "1"], env=environment(own), stdout=quiet, stderr=quiet
    )
    try:
        time.sleep(5)
        started = time.perf_counter()
        command = [programs / "footfall", "import", "--site", "1", path]
        subprocess.run(command, env=environment(own), check=True, stdout=quiet)
        imported = time.perf_counter() - started
        while any(queue.depths(all_shards(queue)).values()):
            time.sleep(0.05)
        seconds = time.perf_counter() - started
    finally:
        pool.terminate()
        pool.wait()
    with closing(Database(own)) as database:
        ((actions,),) = database.query("SELECT COUNT(*) FROM log_link_visit_action")
    if actions != requests:
        raise SystemExit(f"{requests} requests were imported, but {actions} actions recorded")
    say(
        {
            "through": "one worker",
            "requests": actions,
            "requests_per_second": round(actions / seconds),
            "import_seconds": round(imported, 1),
            "seconds": round(seconds, 1),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--through", type=int, default=100_000)
    options = parser.parse_args()
    own = settings("footfall_bench_import", 14)
    unlimited = replace(own, queue_import_max_requests=10**9, queue_import_max_bytes=10**12)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, part = folder / "access.log", folder / "part.log"
        write_log(log, options.lines, random.Random(7))
        with log.open() as file:
            part.write_text("".join(islice(file, options.through)))
        parse("combined", log, options.lines)
        for sample in sorted(SAMPLES.glob("*.log.gz")):
            lines = gzip.decompress(sample.read_bytes()).decode().splitlines(keepends=True)
            many = folder / "sample.log"
            many.write_text("".join(lines + [line for line in lines if not line.startswith("#")] * 840))
            parse(sample.name.partition(".")[0], many, 100_000)
        prepare(own)
        choose(own, log)
        requests = measure_import(unlimited, part)
        record(own, requests)
        prepare(own)
        through(own, part, requests)
        prepare(own)


if __name__ == "__main__":
    main()
