"""What Matomo's own importer of logs (import_logs.py of matomo-log-analytics) sends, and how it is answered.

Written down from a run of it; the script itself is not here. docs/importing.md says how a run of it against the
endpoint went.
"""

import json
from typing import Any
from urllib.parse import urlencode

import recorded_tracking
from falcon import testing
from imports import record_all

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def request_of(path: str, second: int, **more: Any) -> dict[str, Any]:
    return {
        "rec": "1",
        "apiv": "1",
        "url": f"https://shop.example.com{path}",
        "urlref": "",
        "cip": "198.18.0.13",
        "cdt": f"2026-08-12 06:10:{second}",
        "idsite": "1",
        "queuedtracking": "0",
        "dp": "1",
        "ua": AGENT,
        "cvar": '{"1": ["HTTP-code", "200"]}',
        "bw_bytes": 81092,
        **more,
    }


def test_its_questions_are_answered_and_its_lines_recorded(settings: Settings, database: Database) -> None:
    recorded_tracking.put_sites(database)
    clock = SystemClock()
    token = Users(database, settings, clock).create_token("admin", "tests", superuser=True)
    form = {"content-type": "application/x-www-form-urlencoded"}
    client = testing.TestClient(create_app(settings, clock))

    def ask(method: str, **parameters: object) -> Any:
        fields = {"module": "API", "format": "json", "method": method, "filter_limit": -1, "token_auth": token}
        return client.simulate_post("/", body=urlencode({**fields, **parameters}), headers=form).json

    assert ask("SitesManager.getSiteFromId", idSite=1)["main_url"] == "https://shop.example.com"
    assert ask("SitesManager.getSitesIdFromSiteUrl", url="blog.example.org") == [{"idsite": 2}]
    assert ask("SitesManager.getSitesIdFromSiteUrl", url="new.example.net") == []
    assert ask("SitesManager.addSite", siteName="new.example.net", urls="http://new.example.net")["value"] == 4
    body = json.dumps(
        {
            "token_auth": token,
            "requests": [
                request_of("/files/setup.exe", 24, download="https://shop.example.com/files/setup.exe"),
                request_of("/a", 30, pf_srv=726, uid="ann"),
                request_of("/gone", 36, action_name="404/URL = x", bots="1"),
            ],
        }
    )
    answer = client.simulate_post("/piwik.php", query_string="queuedtracking=0", body=body)
    assert (answer.status_code, answer.json["tracked"], answer.json["invalid"]) == (200, 3, 0)
    record_all(settings)
    rows = recorded_tracking.rows_after(database, 0)["log_link_visit_action"]
    actions = sorted(rows, key=lambda row: str(row["server_time"]))  # ann has a shard of her own
    assert [action["server_time"] for action in actions] == [f"2026-08-12 06:10:{second}" for second in (24, 30, 36)]
    assert [action["custom_var_v1"] for action in actions] == ["200"] * 3
    assert actions[1]["time_server"] == 726
