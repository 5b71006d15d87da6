"""The management API: the methods of the reference that set up sites, goals, dimensions, users and languages.

One file for each of the reference's modules, and in it a `Method` for each method: its name, parameters and the access
that it needs, beside the function that does it. The rules about the things themselves are in footfall/entities.
`docs/management.md` lists the methods.
"""
