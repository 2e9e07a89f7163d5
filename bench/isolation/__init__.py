"""Whether others notice a slow script, a failing one and a platform that is away, and whether all that waits comes in the end."""
