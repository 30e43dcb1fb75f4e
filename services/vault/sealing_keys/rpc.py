"""CardFrame on the wire. Caller: the frame host."""

import grpc

from chassis.timestamps import stamp
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.sealing_keys.service import SealingKeys


class CardFrameRpc(vault_pb2_grpc.CardFrameServicer):
    """See vault.proto."""

    def __init__(self, keys: SealingKeys) -> None:
        self._keys = keys

    def GetSealingKey(
        self, request: pb.GetSealingKeyRequest, context: grpc.ServicerContext
    ) -> pb.GetSealingKeyResponse:
        served = self._keys.current()
        return pb.GetSealingKeyResponse(
            kid=served.kid, public_jwk=served.public_jwk, opens_until=stamp(served.opens_until)
        )
