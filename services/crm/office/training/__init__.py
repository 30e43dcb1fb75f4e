"""Guides for agents: one everyday task each, with pictures of this very system (C12)."""
