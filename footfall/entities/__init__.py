"""What people set up, created, changed, deleted and listed: one noun each file.

Both the management API and the `footfall` command come here, so a rule about a site or a goal is written down once.
Every change is announced (footfall/changes.py) after its commit. What tracking reads of these tables, and keeps, is in
footfall/sites.py, options.py and users.py.
"""
