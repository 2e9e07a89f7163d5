"""How many messages a second reach a large room, beside a relay on Node."""
