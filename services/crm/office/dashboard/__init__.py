"""The first page an agent sees: what wants doing today."""
