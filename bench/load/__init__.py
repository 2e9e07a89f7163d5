"""What the load tools share: a daemon under test, clients of its room service, people who measure, and its figures."""
