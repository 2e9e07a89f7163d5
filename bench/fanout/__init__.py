"""Measures deliveries per second in a large room, compared with a relay on Node."""
