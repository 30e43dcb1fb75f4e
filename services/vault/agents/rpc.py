"""AgentRegister on the wire: parses, calls the service, renders. Caller: the CRM."""

import grpc

from chassis.db import Database
from chassis.rpc.fields import identifier
from chassis.timestamps import stamp
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.agents.service import enrolled_of, mask_address


class AgentRegisterRpc(vault_pb2_grpc.AgentRegisterServicer):
    """See vault.proto. Reads only: enrolling is the operator's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ListEnrolled(self, request: pb.ListEnrolledRequest, context: grpc.ServicerContext) -> pb.ListEnrolledResponse:
        agency_id = identifier(request.agency_id, "agency_id")
        with self._database.read() as session:
            agents = enrolled_of(session, agency_id)
        return pb.ListEnrolledResponse(
            agents=[
                pb.EnrolledAgent(
                    agent_id=agent.agent_id,
                    address_hint=mask_address(agent.email),
                    approver=agent.approver,
                    enrolled_at=stamp(agent.enrolled_at),
                )
                for agent in agents
            ]
        )
