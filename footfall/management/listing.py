"""The methods as a page for people: docs/management.md is made of this (`python -m footfall.management.listing`)."""

from itertools import groupby

from footfall.management.management import METHODS
from footfall.management.method import REQUIRED, Method, Parameter

_HEAD = """# The management API

What sets Footfall up over HTTP, as Matomo's clients do it: `/index.php?module=API&method=…&token_auth=…`, parameters in
the query string or in a form body, answers as JSON. Lists are `urls[]=a&urls[]=b` or `urls[0]=a&urls[1]=b`.

```
curl -d "module=API&format=JSON&token_auth=$TOKEN" -d "method=SitesManager.addSite" \\
     -d "siteName=Shop" -d "urls[]=https://shop.example.org" http://127.0.0.1:8000/index.php
{"value":1}
```

A method that only does something answers `{"result":"success","message":"ok"}`, one with a single value `{"value":…}`,
an error is `{"result":"error","message":"…"}` (status 401 when the token does not allow it). Workers see a change with
their next batch. The `footfall` command does the same (`footfall --help`).

Parameters in *italics* may be left out. A parameter that a method does not know is refused, so that a misspelt one is
not lost; those that clients send with every call (`idSite`, `period`, `date`, `language`, `filter_limit`, …) are taken.

This page is made from the declarations in `footfall/management/`: `python -m footfall.management.listing > \
docs/management.md`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD]
    for module, methods in groupby(METHODS.values(), lambda method: method.name.partition(".")[0]):
        parts.append(f"\n## {module}\n\n| method | needs | parameters |\n|---|---|---|\n")
        parts += [_row(method) for method in methods]
    return "".join(parts)


def _row(method: Method) -> str:
    parameters = ", ".join(_parameter(parameter) for parameter in method.parameters)
    return f"| `{method.name.partition('.')[2]}` | {method.needs.title} | {parameters} |\n"


def _parameter(parameter: Parameter) -> str:
    return parameter.name if parameter.default is REQUIRED else f"*{parameter.name}*"


if __name__ == "__main__":
    print(page(), end="")
