"""gRPC as every service uses it: mTLS, one allow-list per method, typed errors, mandatory deadlines.

Server: `make_server(address, tls, allow, services, …)`; handlers raise `chassis.errors`, read `current_call()`.
Client: `Caller(open_channel(address, tls, server_name)).call(stub.Method, request, timeout=5.0)`.
"""

from chassis.rpc.authz import ANYONE, NOBODY, AllowList, AllowListError
from chassis.rpc.calls import CallInfo, current_call, require_time
from chassis.rpc.client import Caller, demand_serving, open_channel
from chassis.rpc.errors import TRAILER
from chassis.rpc.server import MAX_MESSAGE, RpcServer, make_server
from chassis.rpc.tls import TlsFiles

__all__ = [
    "ANYONE",
    "MAX_MESSAGE",
    "NOBODY",
    "TRAILER",
    "AllowList",
    "AllowListError",
    "CallInfo",
    "Caller",
    "RpcServer",
    "TlsFiles",
    "current_call",
    "demand_serving",
    "make_server",
    "open_channel",
    "require_time",
]
