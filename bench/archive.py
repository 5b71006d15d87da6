"""How long a site-day takes to archive: `python bench/archive.py [--scale N] [--tiny-days N]`.

One site-day of 80,000 visits and 300,000 actions on 20,000 pages (times `--scale`), then many site-days of 10 visits
and 30 actions each. Every plugin takes part. Each measurement runs in a process of its own, so that the peak of its
memory is known. Servers: those of `make services`; the database footfall_bench_archive is kept for the next run.
Prints the seconds of the large day and the milliseconds of a tiny one, with the CPU time of archiver and MariaDB.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date, timedelta

from support import cpu_seconds, say, servers, settings

from footfall.archiving.archiver import Archiver
from footfall.archiving.locks import SiteLock
from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.plugins import archived
from footfall.settings import Settings

VISITS, ACTIONS, PAGES, VISITORS = 80_000, 300_000, 20_000, 60_000
TINY_SITES, TINY_VISITS, TINY_ACTIONS, TINY_PAGES = 25, 10, 30, 40
DAY = date(2026, 8, 10)
_LARGE = 1_000  # idsite of the large site of scale 1
_SITE = (
    "INSERT INTO site (idsite, name, main_url, timezone, currency, sitesearch_keyword_parameters, "
    "sitesearch_category_parameters, excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, "
    "`group`, type) "
    "VALUES (%s, 'Bench', 'https://bench.example.org', 'UTC', 'EUR', '', '', '', '', '', '', '', 'website')"
)


def fill_day(database: Database, idsite: int, day: date, visits: int, actions: int, pages: int, visitors: int) -> None:
    """A day of visits whose actions lie evenly over it, few pages seen often and many rarely."""
    first_visit, first_action = (
        database.query(f"SELECT COALESCE(MAX({key}), 0) + 1 FROM {table}")[0][0]
        for key, table in (("idvisit", "log_visit"), ("idlink_va", "log_link_visit_action"))
    )
    # Page n has the URL 2n - 1 and the title 2n; a visit's actions are `visits` rows apart.
    database.execute(
        "INSERT INTO log_link_visit_action (idlink_va, idsite, idvisitor, idvisit, idaction_url, idaction_name, "
        "idaction_url_ref, idaction_name_ref, server_time, idpageview, time_spent_ref_action, pageview_position, "
        "time_network, time_server, time_transfer, time_dom_processing, time_dom_completion, time_on_load) "
        "SELECT %s + seq, %s, UNHEX(LPAD(HEX(1 + MOD(MOD(seq, %s) * 7919, %s)), 16, '5')), %s + MOD(seq, %s), "
        "2 * page - 1, 2 * page, IF(seq < %s, 0, 2 * before_it - 1), IF(seq < %s, 0, 2 * before_it), "
        "%s + INTERVAL seq * 86399 DIV %s SECOND, 'abcdef', IF(seq < %s, 0, MOD(seq, 97)), 1 + seq DIV %s, "
        "MOD(seq, 50), 100 + MOD(seq, 900), MOD(seq, 30), MOD(seq, 400), MOD(seq, 300), MOD(seq, 40) FROM ("
        "SELECT seq, 1 + FLOOR(POW(CRC32(seq) / 4294967296, 3) * %s) page, "
        "1 + FLOOR(POW(CRC32(CAST(seq AS SIGNED) - %s) / 4294967296, 3) * %s) before_it "
        f"FROM seq_0_to_{actions - 1}) numbers",
        (
            *(first_action, idsite, visits, visitors, first_visit, visits, visits, visits),
            *(day, actions, visits, visits, pages, visits, pages),
        ),
    )
    database.execute(
        "INSERT INTO log_visit (idvisit, idsite, idvisitor, visit_last_action_time, config_id, location_ip, user_id, "
        "visit_first_action_time, visit_total_actions, visit_total_time, visit_entry_idaction_url, "
        "visit_entry_idaction_name, visit_exit_idaction_url, visit_exit_idaction_name, visit_goal_converted) "
        "SELECT first.idvisit, %s, first.idvisitor, last.server_time, first.idvisitor, UNHEX('0A000001'), "
        "IF(MOD(first.idvisit, 10) = 0, CONCAT('user', MOD(first.idvisit, 5000)), NULL), first.server_time, actions, "
        "TIMESTAMPDIFF(SECOND, first.server_time, last.server_time), first.idaction_url, first.idaction_name, "
        "last.idaction_url, last.idaction_name, 0 FROM (SELECT idvisit, COUNT(*) actions, MIN(idlink_va) first_id, "
        "MAX(idlink_va) last_id FROM log_link_visit_action WHERE idlink_va >= %s GROUP BY idvisit) per_visit "
        "JOIN log_link_visit_action first ON first.idlink_va = per_visit.first_id "
        "JOIN log_link_visit_action last ON last.idlink_va = per_visit.last_id",
        (idsite, first_action),
    )


def fill(database: Database, scale: int, tiny_days: int) -> None:
    """What is missing of sites, actions and log rows."""
    if database.query("SELECT COUNT(*) FROM log_action") == [(0,)]:
        database.execute(
            "INSERT INTO log_action (idaction, name, hash, type, url_prefix) SELECT 2 * seq - 1, "
            "CONCAT('bench.example.org/section-', seq % 40, '/topic-', seq DIV 40 % 25, '/page-', seq), 0, 1, 2 "
            f"FROM seq_1_to_{PAGES} UNION ALL "
            f"SELECT 2 * seq, CONCAT('Page ', seq, ' about topic ', seq % 25), 0, 4, NULL FROM seq_1_to_{PAGES}"
        )
    present = {idsite for (idsite,) in database.query("SELECT idsite FROM site")}
    if _LARGE * scale not in present:
        fill_day(database, _LARGE * scale, DAY, VISITS * scale, ACTIONS * scale, PAGES, VISITORS * scale)
        database.execute(_SITE, (_LARGE * scale,))
    for idsite, day in tiny(tiny_days):
        has = database.query(
            "SELECT 1 FROM log_visit WHERE idsite = %s AND visit_last_action_time >= %s "
            "AND visit_last_action_time < %s LIMIT 1",
            (idsite, day, day + timedelta(days=1)),
        )
        if not has:
            fill_day(database, idsite, day, TINY_VISITS, TINY_ACTIONS, TINY_PAGES, TINY_VISITS)
        if idsite not in present:
            database.execute(_SITE, (idsite,))
            present.add(idsite)


def tiny(days: int) -> list[tuple[int, date]]:
    """The tiny site-days."""
    return [(1 + number % TINY_SITES, DAY + timedelta(days=number // TINY_SITES)) for number in range(days)]


def archive(own: Settings, site_days: list[tuple[int, date]]) -> dict[str, float]:
    """Archive these site-days once each, after one that warms up; seconds, CPU seconds and peak memory."""
    database, clock = Database(own), SystemClock()
    archiver = Archiver(database, archived(), clock)
    work = [(archiver.site(idsite), Period.of(PeriodKind.DAY, day)) for idsite, day in site_days]
    locks = {site.idsite: SiteLock(database, site.idsite) for site, _ in work}
    for lock in locks.values():
        lock.acquire()
    mariadb = servers().mariadb
    if len(work) > 1:
        archiver.make(*work[0], locks[work[0][0].idsite])
    server, usage, started = cpu_seconds([mariadb]), resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for site, period in work:
        archiver.make(site, period, locks[site.idsite])
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "archiver_cpu": after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime,
        "mariadb_cpu": cpu_seconds([mariadb]) - server,
        "peak_mib": after.ru_maxrss / 1024,
    }


def measured(*arguments: str) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", type=int, default=1, help="how many times the visits and actions (default 1)")
    parser.add_argument("--tiny-days", type=int, default=1_000, help="how many tiny site-days (default 1000)")
    parser.add_argument("--only", choices=["large", "tiny"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    own = settings("footfall_bench_archive", 15)
    if options.only:
        days = [(_LARGE * options.scale, DAY)] if options.only == "large" else tiny(options.tiny_days)
        say(dict(archive(own, days)))
        return
    fill(Database(own), options.scale, options.tiny_days)
    size = ("--scale", str(options.scale), "--tiny-days", str(options.tiny_days))
    large = measured("--only", "large", *size)
    sys.stdout.write(
        f"site-day of {VISITS * options.scale:,} visits and {ACTIONS * options.scale:,} actions: "
        f"{large['seconds']:.2f} s (CPU: archiver {large['archiver_cpu']:.2f} s, MariaDB {large['mariadb_cpu']:.2f} s; "
        f"peak {large['peak_mib']:.0f} MiB)\n"
    )
    small = measured("--only", "tiny", *size)
    per_day = 1000 / options.tiny_days
    sys.stdout.write(
        f"site-day of {TINY_VISITS} visits: {small['seconds'] * per_day:.1f} ms (CPU: archiver "
        f"{small['archiver_cpu'] * per_day:.1f} ms, MariaDB {small['mariadb_cpu'] * per_day:.1f} ms)\n"
    )


if __name__ == "__main__":
    main()
