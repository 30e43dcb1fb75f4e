"""The agency's logo: any picture in, a small PNG of our own making out (C13)."""

import io
from dataclasses import replace

import pytest
from PIL import Image, PngImagePlugin

from chassis.errors import InvalidArgument, PermissionDenied
from protos.wayvault.events.v1.events_pb2 import AgencySaved
from services.crm.access.agency.logo import MOST_KEPT, MOST_UPLOADED, read_logo
from tests.support.crm_people import published
from tests.support.crm_site import CrmSite


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 120), noise: bool = False) -> bytes:
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, "#0f766e")
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_png_jpeg_and_webp_become_a_small_png(kind: str) -> None:
    logo = read_logo(picture(kind))
    with Image.open(io.BytesIO(logo.png)) as drawn:
        assert drawn.format == "PNG"
        assert max(drawn.size) <= 512
    assert len(logo.sha256) == 64


def test_a_photograph_is_made_small_enough() -> None:
    logo = read_logo(picture("JPEG", (1400, 900), noise=True))
    assert len(logo.png) <= MOST_KEPT


def test_nothing_of_the_file_but_its_picture_is_kept() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "PNG", pnginfo=info)
    png = read_logo(out.getvalue() + b"<?php trailing ?>").png
    assert b"script" not in png
    assert b"php" not in png


_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_SVG, "SVG"),
        (b"", "PNG, JPEG or WebP"),
        (b"not a picture at all", "PNG, JPEG or WebP"),
        (picture("GIF"), "GIF format.*JPEG or PNG"),
        (picture("PNG")[:200], "damaged"),
        (picture("PNG", (8, 8)), "too small"),
        (b"x" * (MOST_UPLOADED + 1), "2 MB"),
    ],
)
def test_what_is_no_logo_is_refused_in_words(content: bytes, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        read_logo(content)


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    huge = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(huge, "PNG")  # black and white: quick to make
    with pytest.raises(InvalidArgument, match=r"pixels|damaged"):
        read_logo(huge.getvalue())


def test_an_admin_uploads_a_logo_and_the_others_learn_of_it(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency")
    done = ada.post(
        "/agency/logo", {"logo": (io.BytesIO(picture()), "harbour.png")}, content_type="multipart/form-data"
    )
    assert done.status_code == 303, done.text
    (told,) = [one for one in published(site) if isinstance(one, AgencySaved) and one.logo]
    address = f"/agency/logo/{told.logo_sha256}.png"
    shown = site.signed_in(site.maya).get(address)
    assert (shown.status_code, shown.mimetype, shown.data) == (200, "image/png", told.logo)
    assert "immutable" in shown.headers["Cache-Control"]
    assert address in ada.get("/").text
    ada.post("/agency/logo/remove")
    assert ada.get(address).status_code == 404
    assert [one.logo for one in published(site) if isinstance(one, AgencySaved)][-1] == b""


def test_an_svg_is_refused_on_the_page_and_nothing_changes(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency")
    upload = {"logo": (io.BytesIO(_SVG), "harbour.png")}
    refused = ada.post("/agency/logo", upload, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "SVG files can hold programs" in refused.text
    assert site.deps.access.directory.agency(site.agency_id).logo_sha256 == ""


def test_a_logo_called_like_a_card_is_asked_for_again_by_its_field(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency")
    upload = {"logo": (io.BytesIO(picture()), "4111-1111-1111-1111.png")}
    refused = ada.post("/agency/logo", upload, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "looks like a card number" in refused.text.partition('id="logo-error"')[2].partition("</p>")[0]
    assert "Choose a picture first" not in refused.text


def test_an_agent_can_t_change_the_logo(site: CrmSite) -> None:
    with pytest.raises(PermissionDenied):
        site.deps.access.directory.change_logo(site.maya, read_logo(picture()))


def test_name_colour_and_logo_travel_together(site: CrmSite) -> None:
    site.deps.access.directory.change_logo(site.ada, read_logo(picture()))
    agency = site.deps.access.directory.agency(site.agency_id)

    site.deps.access.directory.change_agency(
        site.ada, replace(agency.data, accent_colour="#aa3300"), version=agency.version
    )
    last = [one for one in published(site) if isinstance(one, AgencySaved)][-1]
    assert (last.agency.accent_colour, bool(last.logo)) == ("#aa3300", True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_as_every_viewer_shows_it(orientation: int) -> None:
    turned = Image.new("RGB", (120, 400) if orientation >= 5 else (400, 120), "teal")
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    turned.save(out, "JPEG", exif=exif)
    with Image.open(io.BytesIO(read_logo(out.getvalue()).png)) as shown:
        assert shown.width > 3 * shown.height


def test_a_photo_in_heic_is_refused_with_how_to_convert_it() -> None:
    with pytest.raises(InvalidArgument, match="JPEG"):
        read_logo(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00" + b"\x00" * 100)
