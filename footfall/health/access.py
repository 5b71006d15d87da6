"""Whether there is something to record for, and somebody who may look at it."""

from footfall.health.finding import Check, Finding, Need, ok, warning
from footfall.health.installation import Installation


def sites(installation: Installation) -> Finding:
    """Whether there is a site."""
    ((count,),) = installation.database.query(f"SELECT COUNT(*) FROM {installation.database.table('site')}")
    if not count:
        return warning(
            "there is no site: every request becomes a dead letter",
            "`footfall site create --name Shop --url https://shop.example.org`.",
        )
    return ok(f"{count} sites")


def superuser(installation: Installation) -> Finding:
    """Whether somebody has a token that opens everything: for /queue, the management API and, without METRICS_TOKEN,
    /metrics."""
    database = installation.database
    ((count,),) = database.query(
        f"SELECT COUNT(*) FROM {database.table('user_token_auth')} t "
        f"JOIN {database.table('user')} u ON u.login = t.login "
        "WHERE u.superuser_access = 1 AND t.hash_algo = 'sha512' AND (t.date_expired IS NULL OR t.date_expired > %s)",
        (installation.clock.now().replace(tzinfo=None),),
    )
    if not count:
        return warning(
            "no superuser has a token: nobody can look at /queue or set anything up over HTTP",
            "`footfall token create --login admin --superuser`.",
        )
    return ok(f"superusers have {count} tokens")


CHECKS = (
    Check("access.sites", sites, Need.TABLES),
    Check("access.superuser-token", superuser, Need.TABLES),
)
