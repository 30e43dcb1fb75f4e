"""The record of payments: their states, what was authorized, what is scheduled and due (M4, M11, M13, C6)."""
