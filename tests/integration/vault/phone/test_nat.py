"""Behind a NAT or in a container: where the masker listens is not what calls are told, and it speaks when spoken to."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from services.vault.phone.calls.media import Sockets

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def telephone() -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(0.3)
        yield opened


@pytest.mark.parametrize("behind_nat", [False, True])
def test_behind_a_nat_nothing_is_sent_to_who_has_sent_nothing_and_without_one_all_is(
    telephone: socket.socket, behind_nat: bool
) -> None:
    with closing(selectors.DefaultSelector()) as selector:
        network = Sockets("127.0.0.1", 43_100, 43_160, selector, behind_nat=behind_nat)
        port = network.open_pair()
        try:
            network.send(port, b"early", telephone.getsockname())
            if behind_nat:
                with pytest.raises(TimeoutError):
                    telephone.recv(64)
                network.heard(port + 1, telephone.getsockname())
                network.send(port, b"still early", telephone.getsockname())
                network.heard(port, telephone.getsockname())
                network.send(port, b"early", telephone.getsockname())
            assert telephone.recv(64) == b"early"
        finally:
            network.close_pair(port)
