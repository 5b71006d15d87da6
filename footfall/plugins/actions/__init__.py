"""What visitors did: the pages they saw, the files and links they opened, what they searched for."""

from footfall.plugins import Plugin
from footfall.plugins.actions.records import ACTIONS
from footfall.plugins.actions.reports import REPORTS
from footfall.plugins.actions.segments import SEGMENTS

PLUGIN = Plugin("Actions", builders=(ACTIONS,), reports=REPORTS, segments=SEGMENTS)
