"""Real PostgreSQL, RabbitMQ and HashiCorp Vault on a developer's machine: `python -m deploy.dev.engines start`.

Each is a server of its own, on 127.0.0.1 and ports of its own, with TLS from the development authority; what Debian may
have started is left alone. Data lies in `<state>/engines`. Nothing is downloaded but Go modules, for Vault.
"""
