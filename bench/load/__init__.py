"""Shared by the load tools: a daemon under test, clients of its room service, users who measure,
and its figures."""
