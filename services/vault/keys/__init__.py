"""Key management: rotation, rewrapping, and the destruction of key versions nothing live needs."""
