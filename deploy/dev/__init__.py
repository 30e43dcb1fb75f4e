"""A developer's machine: certificates, engines, demo data and the runner behind `make up`."""
