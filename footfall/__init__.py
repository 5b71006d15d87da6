"""What the doors share: the domain (tracking, archiving, reports) and its storage (MySQL, Redis)."""

import os

# For the allocator of polars, which reads it when polars is first imported. By default each thread has memory of its
# own, and what is freed is kept for long: archiving a day of 1 million visits took 100 MB more, and was no faster.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:100,muzzy_decay_ms:0")
