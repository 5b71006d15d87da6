"""Pages: their URLs as a tree of folders, their titles, and where visits begin and end."""

from __future__ import annotations

from footfall.plugins import Plugin

# Records

# Reports

PLUGIN = Plugin("Actions")
