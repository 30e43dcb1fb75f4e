"""Where a person's request came from."""

from dataclasses import dataclass

from protos.wayvault.common.v1 import common_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """IP address and user agent, both cut to what is kept of them."""

    ip: str
    user_agent: str

    @classmethod
    def of(cls, ip: str | None, user_agent: str) -> "Origin":
        """From what the web server says; unprintable characters are dropped."""
        return cls(ip=(ip or "")[:45], user_agent="".join(char for char in user_agent if char.isprintable())[:300])

    def to_proto(self) -> common_pb2.Origin:
        return common_pb2.Origin(ip=self.ip, user_agent=self.user_agent)
