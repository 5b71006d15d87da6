"""`footfall import`: loads the logs of web servers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from footfall.cli.workbench import json_option
from footfall.errors import InvalidInput
from footfall.importing.formats.recognition import ALIASES, NAMES, FormatOptions
from footfall.timezones import site_zone

_MOMENTS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%z")


class Zone(click.ParamType):
    """A time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        try:
            return site_zone(value) if isinstance(value, str) else value
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


class Meaning(click.ParamType):
    """NAME=MEANING."""

    name = "name=meaning"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, meaning = value.partition("=")
        if not (name and equals and meaning):
            self.fail(f"{value!r} is not of the form NAME=MEANING.", param, ctx)
        return name, meaning


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_format_options = _options(
    click.option(
        "--format",
        "--log-format-name",
        "format_name",
        type=click.Choice([*NAMES, *ALIASES]),
        metavar="NAME",
        help=f"The format of the logs: {', '.join(NAMES)}. Without it, it is recognised from the first lines.",
    ),
    click.option(
        "--log-format",
        metavar="LINE",
        default="",
        help="The format as the server's configuration defines it: an Apache LogFormat or an nginx log_format line.",
    ),
    click.option(
        "--field",
        "--w3c-map-field",
        "fields",
        type=Meaning(),
        multiple=True,
        help="What a field of a W3C or JSON log is: address, time, target, path, query, status, referrer, "
        "user_agent, host, user, length, duration (seconds), milliseconds, …",
    ),
    click.option("--w3c-fields", metavar="NAMES", default="", help="The #Fields: of a W3C log that has none."),
    click.option(
        "--timezone",
        "zone",
        type=Zone(),
        default="UTC",
        show_default=True,
        help="Of times that do not say theirs (HAProxy, W3C).",
    ),
)
_site_options = _options(
    click.option("--site", "--idsite", "idsite", type=click.IntRange(1), help="The site of all lines."),
    click.option(
        "--fallback-site", "--idsite-fallback", "fallback", type=click.IntRange(1), help="Of hosts that no site has."
    ),
    click.option(
        "--create-sites", "--add-sites-new-hosts", "create", is_flag=True, help="Make a site for each such host."
    ),
    click.option("--log-hostname", "own_host", metavar="HOST", default="", help="The host of lines that name none."),
)
_choice_options = _options(
    click.option("--enable-static", "parts", is_flag=True, help="Parts of pages too (images, styles, scripts, fonts)."),
    click.option("--enable-bots", "bots", is_flag=True, help="Bots and programs too."),
    click.option("--enable-http-errors", "errors", is_flag=True, help="Answers with a status from 400 on too."),
    click.option("--enable-http-redirects", "redirects", is_flag=True, help="Redirects too."),
    click.option("--strip-query-string", "strip_query", is_flag=True, help="Leave queries of addresses away."),
    click.option(
        "--query-string-delimiter", "separator", default="?", show_default=True, help="What a query begins with."
    ),
    click.option("--include-path", "include_paths", multiple=True, metavar="PATTERN", help="Only these: /shop/*"),
    click.option("--exclude-path", "exclude_paths", multiple=True, metavar="PATTERN", help="All but these."),
    click.option(
        "--include-path-from", type=click.File(), multiple=True, metavar="FILE", help="Patterns of a file, one a line."
    ),
    click.option("--exclude-path-from", type=click.File(), multiple=True, metavar="FILE", help="The same."),
    click.option(
        "--include-path-regex",
        "include_expressions",
        multiple=True,
        metavar="REGEX",
        help="Only paths in which this regular expression is found: ^/shop/[0-9]+$",
    ),
    click.option("--exclude-path-regex", "exclude_expressions", multiple=True, metavar="REGEX", help="All but these."),
    click.option(
        "--hostname", "--include-host", "hosts", multiple=True, metavar="PATTERN", help="Only these: *.example.org"
    ),
    click.option("--exclude-host", "excluded_hosts", multiple=True, metavar="PATTERN", help="All but these."),
    click.option(
        "--exclude-user-agent",
        "--useragent-exclude",
        "exclude_agents",
        multiple=True,
        metavar="TEXT",
        help="User agents with this text in them.",
    ),
    click.option(
        "--download-extensions", "downloads", multiple=True, metavar="LIST", help="The only downloads: pdf,zip"
    ),
    click.option(
        "--add-download-extensions", "more_downloads", multiple=True, metavar="LIST", help="Further downloads."
    ),
    click.option(
        "--since",
        "--exclude-older-than",
        type=click.DateTime(_MOMENTS),
        metavar="MOMENT",
        help="From then on (in UTC).",
    ),
    click.option(
        "--until", "--exclude-newer-than", type=click.DateTime(_MOMENTS), metavar="MOMENT", help="Before then (in UTC)."
    ),
)


@click.command("import")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@_site_options
@_format_options
@_choice_options
@click.option(
    "--replay-tracking",
    "replay",
    is_flag=True,
    help="The logs are those of a tracker: requests of matomo.php become those requests again.",
)
@click.option("--no-provider", is_flag=True, help="Look up no providers, whatever PROVIDER_LOOKUP_MILLISECONDS says.")
@click.option(
    "--password",
    envvar="FOOTFALL_LOG_PASSWORD",
    default="",
    help="Of the database of a table, where its URL has none. Better in FOOTFALL_LOG_PASSWORD than here.",
)
@click.option("--again", is_flag=True, help="Load logs from their beginning even if they were loaded before.")
@click.option("--follow", is_flag=True, help="Go on at their ends, as lines are added, and through rotations.")
@click.option("--dry-run", "trial", is_flag=True, help="Only say what would be imported.")
@click.option("--archive", is_flag=True, help="In the end wait until all is recorded, and archive the days touched.")
@json_option
def import_logs(
    logs: Sequence[str],
    idsite: int | None,
    fallback: int | None,
    own_host: str,
    format_name: str | None,
    log_format: str,
    fields: Sequence[tuple[str, str]],
    w3c_fields: str,
    zone: tzinfo,
    strip_query: bool,
    separator: str,
    include_path_from: Sequence[Any],
    exclude_path_from: Sequence[Any],
    since: datetime | None,
    until: datetime | None,
    replay: bool,
    no_provider: bool,
    password: str,
    again: bool,
    follow: bool,
    trial: bool,
    archive: bool,
    as_json: bool,
    create: bool,
    **choices: Any,
) -> None:
    """Load logs of web servers: files, compressed ones too, patterns (quoted), - for standard input, or tables.

    Lines become tracking requests with the time and the address of the line, and go through the queue as all others,
    in a lane of their own that never holds up live traffic. Several logs are merged by time.

    A line goes to the site whose address has its host, or to --site. What was loaded is remembered: run it again after
    an interruption, or when a log has grown, and it goes on where it was; a log that was loaded completely is refused.

    Bots, parts of pages, errors and redirects are left out unless you say so.

    \b
    Examples:
      footfall import --site 1 /var/log/nginx/access.log*
      footfall import --dry-run "/var/log/apache2/*.gz"
      footfall import --site 1 --log-format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D' access.log
      footfall import --follow --site 1 /var/log/nginx/access.log
      tail -F /var/log/syslog | grep --line-buffered nginx: | footfall import --site 1 -
      footfall import --replay-tracking --archive tracker.log.1.gz
      footfall import --site 1 "mysql://reader@db.example/apache?table=access_log"

    docs/importing.md says more.
    """
    if log_format and format_name:
        raise click.UsageError("--format and --log-format both say what the format is: give one.")
    if follow and archive:
        raise click.UsageError("--follow never ends, so there is no time for --archive: `archive_cli run` archives.")
    if follow and any("://" in log for log in logs):
        raise click.UsageError("A table is not followed: run the import again for what is new in it.")
    # Imported here: no other command needs to wait for what reads logs.
    from footfall.cli.import_run import Wanted, run
    from footfall.importing.choice import ChoiceOptions

    choices["include_paths"] = [*choices["include_paths"], *_patterns(include_path_from)]
    choices["exclude_paths"] = [*choices["exclude_paths"], *_patterns(exclude_path_from)]
    choices["downloads"] = choices["downloads"] or None
    wanted = Wanted(
        FormatOptions(format_name or "", log_format, dict(fields), w3c_fields, zone),
        ChoiceOptions(**choices, since=_moment(since), until=_moment(until)),
        idsite,
        fallback,
        create,
        own_host,
        strip_query,
        separator,
        no_provider,
        replay,
        again,
        follow,
        trial,
        archive,
        password,
    )
    run(logs, wanted, as_json=as_json)


def _moment(given: datetime | None) -> float | None:
    if given is None:
        return None
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def _patterns(files: Sequence[Any]) -> list[str]:
    return [line.strip() for file in files for line in file if line.strip()]
