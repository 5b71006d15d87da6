"""What the doors share: the domain (tracking, archiving, reports) and its storage (MySQL, Redis)."""
