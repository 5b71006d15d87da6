"""Log formats, one file per way of writing."""
