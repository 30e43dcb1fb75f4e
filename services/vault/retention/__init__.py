"""Retention: the sweep that removes what is past its time."""
