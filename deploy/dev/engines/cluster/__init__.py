"""Each engine as three members on this machine: `python -m deploy.dev.engines start --cluster`.

RabbitMQ as three nodes with quorum queues, HashiCorp Vault as three raft nodes behind HAProxy, PostgreSQL as three
Patroni members with etcd behind HAProxy. As root each member lives in a network namespace of its own, so that it can be
cut off from all others; without root all live on 127.0.0.1.
"""
