"""Page views: what a hit is that says nothing else."""

from footfall.tracking import products
from footfall.tracking.action import PAGE_TITLE, PAGE_URL, PAGE_VIEW, Action, ActionName, Page, named
from footfall.tracking.parameters import Parameters, escaped


def read(parameters: Parameters, page: Page) -> Action | None:
    """The page view of a hit; None for one that is flagged (ca=1) as something else, or as nothing."""
    if parameters.get("ca") == "1":
        return None
    title = parameters.get("action_name", "").strip()
    action = Action(
        PAGE_VIEW,
        url=ActionName(PAGE_URL, page.name) if page.url else None,
        url_prefix=page.prefix,
        name=named(PAGE_TITLE, escaped(title)) if title else None,
        full_url=page.url,
        compared={"url": page.raw, "title": title},
    )
    products.add(action, parameters)
    return action
