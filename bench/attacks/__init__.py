"""Attacks by hostile scripts and hostile clients on a daemon, and their effect on other users."""
