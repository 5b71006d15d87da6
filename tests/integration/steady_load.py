"""Clients that send numbered page views at the real endpoint, and what of it arrived."""

import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException

from footfall.database import Database


def add_site(database: Database) -> None:
    database.execute(
        "INSERT INTO site (idsite, name, main_url, ts_created, timezone, currency, "
        "sitesearch_keyword_parameters, sitesearch_category_parameters, excluded_ips, excluded_parameters, "
        "excluded_user_agents, excluded_referrers, `group`, type) "
        "VALUES (1, 'Shop', 'https://shop.example.com', '2020-01-01', 'UTC', 'EUR', '', '', '', '', '', '', '', 'web')"
    )


class Load:
    """Clients that send numbered page views until told to stop, and remember which were acknowledged.

    Args:
        first: the number of the first client.
    """

    def __init__(self, port: int, clients: int, first: int = 0) -> None:
        self._port = port
        self._stop = threading.Event()
        self.acknowledged: list[list[str]] = [[] for _ in range(clients)]
        self.failed: list[str] = []
        self._threads = [
            threading.Thread(target=self._send, args=(names, first + number))
            for number, names in enumerate(self.acknowledged)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, acknowledged: list[str], number: int) -> None:
        connection, sent = HTTPConnection("127.0.0.1", self._port, timeout=20), 0
        while not self._stop.is_set():
            sent += 1
            name = f"shop.example.com/c{number}/{sent}"
            visitor = number * 1_000_000 + sent // 5
            path = f"/matomo.php?idsite=1&rec=1&send_image=0&url=https%3A%2F%2F{name}&_id={visitor:016x}"
            try:
                connection.request("GET", path, headers={"User-Agent": f"Client/{visitor}"})
                answer = connection.getresponse()
                answer.read()
            except (HTTPException, OSError) as error:
                self.failed.append(f"{name}: {error!r}")
                connection.close()
                continue
            if answer.status == 204:
                acknowledged.append(name)
            else:
                self.failed.append(f"{name}: {answer.status}")


def recorded_names(database: Database) -> list[str]:
    """The page views in the log, in the order in which they were recorded."""
    rows = database.query(
        "SELECT a.name FROM log_link_visit_action l JOIN log_action a ON a.idaction = l.idaction_url "
        "ORDER BY l.idlink_va"
    )
    return [str(name) for (name,) in rows]


def assert_recorded_once_in_order(load: Load, database: Database) -> None:
    """Every acknowledged page view is recorded once, and those of each visitor in the order they were sent in."""
    names = recorded_names(database)
    counts = Counter(names)
    acknowledged = {name for client in load.acknowledged for name in client}
    assert acknowledged - set(counts) == set(), "lost"
    assert {name: count for name, count in counts.items() if count > 1} == {}, "doubled"
    by_visitor: dict[tuple[str, int], list[int]] = {}
    for name in names:
        _, client, number = name.rsplit("/", 2)
        by_visitor.setdefault((client, int(number) // 5), []).append(int(number))
    assert {visitor: numbers for visitor, numbers in by_visitor.items() if numbers != sorted(numbers)} == {}
