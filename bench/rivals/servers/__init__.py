"""The rival servers: one registry and contract, written plainly on each stack, with nothing tuned away or added."""
