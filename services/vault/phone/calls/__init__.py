"""Calls as Kamailio tells them by the ng protocol: SDP, ports, relaying, and the lines that are masked."""
