"""The last release and this version side by side on one database and bus: `make upgrade-test`."""
