"""What hostile scripts and hostile clients do to a daemon, and what others notice of it."""
