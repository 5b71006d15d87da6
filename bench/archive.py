"""How long a site-day takes to archive: `python bench/archive.py [--scale N] [--tiny-days N] [--segments N]`.

One site-day of 80,000 visits, 300,000 actions on 20,000 pages and 100,000 conversions of ten goals (times `--scale`),
without stored segments and with some (10 by default, each of 5 to 40 % of the visits, together 1.8 times all), then
many site-days of 10 visits and 30 actions each. Every plugin takes part. Each measurement runs in a process of its own,
so that the peak of its memory is known. Servers: those of `make services`; the database footfall_bench_archive is kept
for the next run. Prints the seconds of the large day and the milliseconds of a tiny one, with the CPU time of archiver
and MariaDB.
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
CONVERSIONS, GOALS = 100_000, 10
SEGMENTS = (
    "countryCode==de",
    "visitorType==returning",
    "deviceType==smartphone",
    "userId!=",
    "pageUrl=@topic-7/",
    "referrerType==search,referrerType==campaign",
    "browserCode==FF;visitCount>1",
    "visitConvertedGoalId==3",
    "pageTitle=@topic 3",
    "visitDuration>600;countryCode==us",
)
TINY_SITES, TINY_VISITS, TINY_ACTIONS, TINY_PAGES = 25, 10, 30, 40
DAY = date(2026, 8, 10)
_LARGE = 3_000  # idsite of the large site of scale 1
SITE = (
    "INSERT INTO site (idsite, name, main_url, timezone, currency, sitesearch_keyword_parameters, "
    "sitesearch_category_parameters, excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, "
    "`group`, type) "
    "VALUES (%s, 'Bench', 'https://bench.example.org', 'UTC', 'EUR', '', '', '', '', '', '', '', 'website')"
)

# What else is known of visits, as SQL over a row of `first`.
_FACTS = {
    "location_country": "ELT(1 + MOD(first.idvisit * 13, 20), 'de', 'us', 'fr', 'gb', 'at', 'ch', 'it', 'es', 'pl', "
    "'nl', 'be', 'se', 'no', 'dk', 'fi', 'cz', 'pt', 'br', 'jp', 'in')",
    "location_browser_lang": "ELT(1 + MOD(first.idvisit, 6), 'de-de', 'en-us', 'fr-fr', 'en-gb', 'es-es', 'pt-br')",
    "config_browser_name": "ELT(1 + MOD(first.idvisit, 5), 'CH', 'FF', 'SF', 'PS', 'OP')",
    "config_browser_version": "CONCAT(100 + MOD(first.idvisit, 30), '.0')",
    "config_browser_engine": "ELT(1 + MOD(first.idvisit, 3), 'Blink', 'Gecko', 'WebKit')",
    "config_os": "ELT(1 + MOD(first.idvisit, 5), 'WIN', 'MAC', 'LIN', 'AND', 'IOS')",
    "config_os_version": "1 + MOD(first.idvisit, 15)",
    "config_device_type": "MOD(first.idvisit, 3)",
    "config_device_brand": "ELT(1 + MOD(first.idvisit, 4), 'SA', 'AP', 'XI', '')",
    "config_device_model": "CONCAT('Model ', MOD(first.idvisit, 300))",
    "config_resolution": "ELT(1 + MOD(first.idvisit, 4), '1920x1080', '390x844', '1366x768', '412x915')",
    "referer_type": "ELT(1 + MOD(first.idvisit, 5), 1, 2, 3, 6, 7)",
    "referer_name": "ELT(1 + MOD(first.idvisit, 5), '', 'Google', CONCAT('site', MOD(first.idvisit, 900), '.example'), "
    "CONCAT('campaign ', MOD(first.idvisit, 40)), 'Facebook')",
    "referer_keyword": "IF(MOD(first.idvisit, 5) = 1, CONCAT('words ', MOD(first.idvisit, 4000)), NULL)",
}


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
        "visit_entry_idaction_name, visit_exit_idaction_url, visit_exit_idaction_name, visit_goal_converted, "
        f"visitor_localtime, visitor_count_visits, visitor_returning, {', '.join(_FACTS)}) "
        "SELECT first.idvisit, %s, first.idvisitor, last.server_time, first.idvisitor, UNHEX('0A000001'), "
        "IF(MOD(first.idvisit, 10) = 0, CONCAT('user', MOD(first.idvisit, 5000)), NULL), first.server_time, actions, "
        "TIMESTAMPDIFF(SECOND, first.server_time, last.server_time), first.idaction_url, first.idaction_name, "
        "last.idaction_url, last.idaction_name, MOD(first.idvisit, 5) = 0, "
        "SEC_TO_TIME(MOD(first.idvisit * 31, 86400)), 1 + MOD(first.idvisit, 7), MOD(first.idvisit, 3) = 0, "
        f"{', '.join(_FACTS.values())} FROM (SELECT idvisit, COUNT(*) actions, MIN(idlink_va) first_id, "
        "MAX(idlink_va) last_id FROM log_link_visit_action WHERE idlink_va >= %s GROUP BY idvisit) per_visit "
        "JOIN log_link_visit_action first ON first.idlink_va = per_visit.first_id "
        "JOIN log_link_visit_action last ON last.idlink_va = per_visit.last_id",
        (idsite, first_action),
    )


def fill_conversions(database: Database, idsite: int, count: int) -> None:
    """Conversions spread over the visits of the site, as many of each goal."""
    first, visits = database.query("SELECT MIN(idvisit), COUNT(*) FROM log_visit WHERE idsite = %s", (idsite,))[0]
    database.execute(
        "INSERT IGNORE INTO log_conversion (idvisit, idsite, idvisitor, server_time, idaction_url, idgoal, buster, "
        "url, revenue, pageviews_before, visitor_count_visits, visitor_returning, referer_type, location_country, "
        "config_device_type, config_browser_name) "
        "SELECT idvisit, idsite, idvisitor, visit_last_action_time, visit_exit_idaction_url, 1 + MOD(seq, %s), seq, "
        "'https://bench.example.org/', MOD(seq, 100) / 4, visit_total_actions, visitor_count_visits, "
        "visitor_returning, referer_type, location_country, config_device_type, config_browser_name "
        f"FROM seq_0_to_{count - 1} JOIN log_visit ON idvisit = %s + MOD(seq * 7919, %s)",
        (GOALS, first, visits),
    )
    database.execute(
        "INSERT INTO goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, "
        f"allow_multiple, revenue) SELECT %s, seq, CONCAT('Goal ', seq), 'manually', '', '', 0, 1, 0 "
        f"FROM seq_1_to_{GOALS}",
        (idsite,),
    )


def fill_actions(database: Database) -> None:
    """The pages and titles that days are filled with."""
    if database.query("SELECT COUNT(*) FROM log_action") == [(0,)]:
        database.execute(
            "INSERT INTO log_action (idaction, name, hash, type, url_prefix) SELECT 2 * seq - 1, "
            "CONCAT('bench.example.org/section-', seq % 40, '/topic-', seq DIV 40 % 25, '/page-', seq), 0, 1, 2 "
            f"FROM seq_1_to_{PAGES} UNION ALL "
            f"SELECT 2 * seq, CONCAT('Page ', seq, ' about topic ', seq % 25), 0, 4, NULL FROM seq_1_to_{PAGES}"
        )


def fill(database: Database, scale: int, tiny_days: int) -> None:
    """What is missing of sites, actions and log rows; without a scale or tiny days, nothing of them."""
    fill_actions(database)
    present = {idsite for (idsite,) in database.query("SELECT idsite FROM site")}
    if scale and _LARGE * scale not in present:
        fill_day(database, _LARGE * scale, DAY, VISITS * scale, ACTIONS * scale, PAGES, VISITORS * scale)
        fill_conversions(database, _LARGE * scale, CONVERSIONS * scale)
        database.execute(SITE, (_LARGE * scale,))
    for idsite, day in tiny(tiny_days):
        has = database.query(
            "SELECT 1 FROM log_visit WHERE idsite = %s AND visit_last_action_time >= %s "
            "AND visit_last_action_time < %s LIMIT 1",
            (idsite, day, day + timedelta(days=1)),
        )
        if not has:
            fill_day(database, idsite, day, TINY_VISITS, TINY_ACTIONS, TINY_PAGES, TINY_VISITS)
        if idsite not in present:
            database.execute(SITE, (idsite,))
            present.add(idsite)


def tiny(days: int) -> list[tuple[int, date]]:
    """The tiny site-days."""
    return [(1 + number % TINY_SITES, DAY + timedelta(days=number // TINY_SITES)) for number in range(days)]


def archive(own: Settings, site_days: list[tuple[int, date]], segments: int) -> dict[str, float]:
    """Archive these site-days once each, after one that warms up; seconds, CPU seconds and peak memory.

    Args:
        segments: how many stored segments are archived with all visits.
    """
    database, clock = Database(own), SystemClock()
    archiver = Archiver(database, archived(), clock)
    work = [(archiver.site(idsite), Period.of(PeriodKind.DAY, day)) for idsite, day in site_days]
    locks = {site.idsite: SiteLock(database, site.idsite) for site, _ in work}
    for lock in locks.values():
        lock.acquire()
    mariadb = servers().mariadb
    if len(work) > 1:
        archiver.make(*work[0], locks[work[0][0].idsite])
    scopes = archiver.scopes(work[0][0], ["", *SEGMENTS[:segments]])
    server, usage, started = cpu_seconds([mariadb]), resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for site, period in work:
        archiver.make(site, period, locks[site.idsite], scopes)
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
    parser.add_argument("--segments", type=int, default=len(SEGMENTS), help="how many stored segments (default 10)")
    parser.add_argument("--only", choices=["large", "tiny"], help="the large day or the tiny ones alone")
    parser.add_argument("--measure", choices=["large", "tiny"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    own = settings("footfall_bench_archive", 15)
    if options.measure:
        days = [(_LARGE * options.scale, DAY)] if options.measure == "large" else tiny(options.tiny_days)
        say(dict(archive(own, days, options.segments)))
        return
    has_large, has_tiny = options.only != "tiny", options.only != "large"
    fill(Database(own), options.scale if has_large else 0, options.tiny_days if has_tiny else 0)
    size = ("--scale", str(options.scale), "--tiny-days", str(options.tiny_days))
    for segments in (0, options.segments) if has_large else ():
        large = measured("--measure", "large", "--segments", str(segments), *size)
        sys.stdout.write(
            f"site-day of {VISITS * options.scale:,} visits, {ACTIONS * options.scale:,} actions and "
            f"{CONVERSIONS * options.scale:,} conversions, {segments} segments: {large['seconds']:.2f} s (CPU: "
            f"archiver {large['archiver_cpu']:.2f} s, MariaDB {large['mariadb_cpu']:.2f} s; "
            f"peak {large['peak_mib']:.0f} MiB)\n"
        )
    if not has_tiny:
        return
    small = measured("--measure", "tiny", "--segments", "0", *size)
    per_day = 1000 / options.tiny_days
    sys.stdout.write(
        f"site-day of {TINY_VISITS} visits: {small['seconds'] * per_day:.1f} ms (CPU: archiver "
        f"{small['archiver_cpu'] * per_day:.1f} ms, MariaDB {small['mariadb_cpu'] * per_day:.1f} ms)\n"
    )


if __name__ == "__main__":
    main()
