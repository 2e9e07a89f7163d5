"""Tests that other users do not notice a slow script, a failing one and an unreachable platform,
and that no event is lost."""
