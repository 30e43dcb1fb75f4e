import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.calls import sdp
from services.vault.phone.calls.sdp import SdpRefused

_OFFER = (
    "v=0\r\no=desk 77 3 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 96 9 8 0 18 101 13\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000/1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=rtcp:4001\r\na=rtcp-mux\r\na=candidate:1 1 UDP 1 10.0.0.9 4000 typ host\r\na=ptime:20\r\na=sendrecv\r\n"
    "m=video 5000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
)


def test_other_codecs_and_other_media_are_taken_out_and_the_keys_event_is_kept() -> None:
    text = sdp.rewrite(_OFFER, "192.0.2.7", 30_000)
    assert "m=audio 30000 RTP/AVP 8 0 101\r\n" in text
    assert "m=video 0 RTP/AVP 97" in text
    assert "c=IN IP4 192.0.2.7" in text
    assert "10.0.0.9 4000" not in text
    for gone in ("opus", "G722", "rtcp", "candidate", "H264"):
        assert gone not in text
    assert "a=ptime:20" in text


def test_what_a_side_says_of_itself_is_read() -> None:
    media = sdp.read(_OFFER)
    assert (media.address, media.port, media.event_type, media.held) == ("10.0.0.9", 4000, 101, False)
    assert media.codecs == {8: 8, 0: 0}


def test_the_order_of_preference_stays() -> None:
    assert sdp.read(sdp.rewrite(_OFFER, "192.0.2.7", 30_000)).codecs == {8: 8, 0: 0}


@pytest.mark.parametrize("change", ["a=sendonly", "a=inactive"])
def test_a_side_that_puts_the_other_on_hold_says_so(change: str) -> None:
    assert sdp.read(_OFFER.replace("a=sendrecv", change)).held
    assert sdp.read(_OFFER.replace("c=IN IP4 10.0.0.9", "c=IN IP4 0.0.0.0")).held


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RTP/AVP 96 9 8 0 18 101 13", "RTP/SAVP 0"),
        ("RTP/AVP 96 9 8 0 18 101 13", "RTP/AVP 96 9"),
        ("IP4 10.0.0.9\r\nt", "IP4 host.example\r\nt"),
        ("m=audio", "m=text"),
        ("v=0", "v=1"),
        ("t=0 0\r\n", ""),
        ("m=audio 4000", "m=audio 99999"),
    ],
)
def test_what_it_can_not_stand_between_is_refused_in_words(old: str, new: str) -> None:
    with pytest.raises(SdpRefused):
        sdp.read(_OFFER.replace(old, new))


@given(st.text(max_size=300))
def test_nothing_breaks_the_reader(text: str) -> None:
    for body in (text, _OFFER + text, _OFFER.replace("4000", text)):
        try:
            sdp.read(body)
            sdp.rewrite(body, "192.0.2.7", 1)
        except SdpRefused:
            pass
