"""Pictures go out as they are stored, small copies are made once, and nobody gets one by guessing or copying."""

import hashlib
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog import people, queue
from catalog.store import Catalog
from ui import image_route, pictures
from ui.proxy import TrustedHeader

VISITOR = "0123456789abcdef" * 2
DAY_S = 86_400


@pytest.fixture
def served(queued: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Catalog]:
    """Return a function that puts a workspace of candidates, with `[review]` settings, behind the route."""

    def serve(count: int = 1, *, review: str = "", **options: object) -> Catalog:
        workspace = queued(count, **options)
        (workspace / "adapt.toml").write_text(f"[review]\n{review}\n", encoding="utf-8")
        monkeypatch.setenv("ADAPT_WORKSPACE", str(workspace))
        return Catalog.open(workspace)

    return serve


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A browser of this machine with a visitor's cookie."""
    route = Route(image_route.ROUTE, image_route.picture, methods=["GET"])
    app = Starlette(routes=[route], middleware=[Middleware(TrustedHeader)])
    with TestClient(app, cookies={image_route.COOKIE: VISITOR}, client=("10.0.0.4", 50_000)) as client:
        yield client


def candidate(catalog: Catalog, item_id: int = 1) -> str:
    return queue.item(catalog, item_id).image_sha256


def test_picture_is_the_stored_file(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served()
    sha256 = candidate(catalog)
    answer = client.get(image_route.address(sha256, VISITOR))
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert answer.headers["content-type"] == "image/png"
    caching = answer.headers["cache-control"]
    assert caching.startswith("private, max-age=") and caching.endswith(", immutable")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("size", "longest"), pictures.THUMBNAILS_PX.items())
def test_thumbnail_is_small_and_made_once(
    served: Callable[..., Catalog], client: TestClient, size: str, longest: int
) -> None:
    catalog = served()
    real = queue.item(catalog, 1).nearest_sha256 or ""
    address = image_route.address(real, VISITOR, size)
    first = client.get(address)
    with Image.open(BytesIO(first.content)) as shown:
        # The real photo is 256 px wide: what is smaller than the size stays as it is.
        assert shown.format == "WEBP" and max(shown.size) == min(longest, 256)
    kept = list((catalog.workspace / "cache" / "thumbnails").rglob(f"{real}-{longest}.webp"))
    assert len(kept) == 1
    catalog.blobs.path(real).unlink()
    assert client.get(address).content == first.content


def test_short_thumbnail_is_made_again(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served()
    address = image_route.address(candidate(catalog), VISITOR, "thumbnail")
    whole = client.get(address).content
    kept = next((catalog.workspace / "cache" / "thumbnails").rglob("*.webp"))
    kept.write_bytes(whole[:40])
    assert client.get(address).content == whole
    assert kept.read_bytes() == whole


def test_thumbnails_asked_for_together_are_made_once(served: Callable[..., Catalog]) -> None:
    catalog = served()
    coming = [pictures.ask(catalog, candidate(catalog), "preview") for _ in range(20)]
    assert len({answer.result() for answer in coming}) == 1


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "CMYK"])
def test_thumbnail_of_any_kind_of_picture_is_in_colour_on_white(workspace: Path, mode: str) -> None:
    drawn = Image.new("RGBA", (400, 200), (0, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (400, 200))
    out = BytesIO()
    drawn.save(out, "JPEG" if mode == "CMYK" else "PNG")
    with Catalog.open(workspace) as catalog:
        sha256 = catalog.blobs.put(out.getvalue(), "png")
        with Image.open(BytesIO(pictures.thumbnail(catalog, sha256, "preview"))) as shown:
            assert shown.size == (320, 160) and shown.mode == "RGB"
            if mode == "RGBA":
                assert min(shown.getpixel((5, 5))) > 250


@pytest.mark.parametrize("size", pictures.SIZES)
def test_damaged_picture_is_not_found_and_logged(
    served: Callable[..., Catalog], client: TestClient, heard: pytest.LogCaptureFixture, size: str
) -> None:
    catalog = served()
    sha256 = candidate(catalog)
    file = catalog.blobs.path(sha256)
    file.write_bytes(file.read_bytes()[:-20])
    answer = client.get(image_route.address(sha256, VISITOR, size))
    assert (answer.status_code, answer.text) == (404, "no such picture")
    assert "is damaged" in heard.text and sha256 in heard.text
    file.unlink()
    assert client.get(image_route.address(sha256, VISITOR, size)).status_code == 404


def test_address_is_good_for_one_browser_picture_and_size(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served(2)
    sha256 = candidate(catalog)
    address = image_route.address(sha256, VISITOR)
    key = address.rpartition("=")[2]
    forged = [
        address.partition("?")[0],
        address[:-1] + ("0" if address[-1] != "0" else "1"),
        address.replace(key, ""),
        address.replace(key, "é"),
        address.replace("size=original", "size=preview"),
        address.replace("size=original", "size=huge"),
        address.replace(sha256, candidate(catalog, 2)),
        address.replace(sha256, sha256.upper()),
        address.replace("until=", "until=9"),
        address.replace("until=", "until=-"),
        address.replace("until=", "until=x"),
        image_route.address(sha256, None),
        image_route.address(sha256, "f" * 32),
    ]
    assert [client.get(other).status_code for other in forged] == [403] * len(forged)
    assert client.get(address).status_code == 200
    stranger = {"Cookie": f"{image_route.COOKIE}={'e' * 32}"}
    client.cookies.clear()
    assert client.get(address, headers=stranger).status_code == 403
    assert client.get(address).status_code == 403


def test_address_ends_within_a_day(served: Callable[..., Catalog], client: TestClient) -> None:
    sha256 = candidate(served())
    now = time.time()
    assert client.get(image_route.address(sha256, VISITOR, moment=now - DAY_S)).status_code == 403
    assert client.get(image_route.address(sha256, VISITOR, moment=now)).status_code == 200
    same_period = now - now % image_route.ADDRESS_PERIOD_S
    assert image_route.address(sha256, VISITOR, moment=same_period) == image_route.address(
        sha256, VISITOR, moment=same_period + image_route.ADDRESS_PERIOD_S - 1
    )


@pytest.mark.parametrize(
    "path",
    [
        "../../catalog.db",
        "..%2f..%2fcatalog.db",
        "%2e%2e/%2e%2e/catalog.db",
        "..%5c..%5ccatalog.db",
        "%2fetc%2fpasswd",
        "*",
        "??",
        "0" * 63 + "*",
        "0" * 64 + "%00.png",
    ],
)
def test_address_cannot_name_another_file(served: Callable[..., Catalog], client: TestClient, path: str) -> None:
    served()
    query = image_route.address(path, VISITOR).rpartition("?")[2]
    answer = client.get(f"/picture/{path}?{query}")
    assert answer.status_code in (403, 404)
    assert answer.text in ("not allowed", "Not Found")


def test_proxy_person_gets_only_their_own_addresses(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served(
        review='identity = "proxy"\nproxy_header = "X-User"\nproxy_addresses = ["10.0.0.4"]\nroles = {aki = "lead"}\n'
    )
    sha256 = candidate(catalog)
    address = image_route.address(sha256, VISITOR, person="aki")
    assert client.get(address, headers={"X-User": "aki"}).status_code == 200
    refused = [{}, {"X-User": "ben"}, {"X-User": ""}]
    assert [client.get(address, headers=headers).status_code for headers in refused] == [403] * 3
    # A header sent twice: one of the two may be the visitor's own.
    assert client.get(address, headers=[("X-User", "aki"), ("X-User", "aki")]).status_code == 403
    # Signed, but somebody without a role.
    assert client.get(image_route.address(sha256, VISITOR, person="ben"), headers={"X-User": "ben"}).status_code == 403
    # In nobody's name.
    assert client.get(image_route.address(sha256, VISITOR, person=""), headers={"X-User": "aki"}).status_code == 403


def test_picture_is_refused_once_the_person_may_not_act(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served(
        review='identity = "proxy"\nproxy_header = "X-User"\nproxy_addresses = ["10.0.0.4"]\n'
        'roles = {aki = "admin", root = "admin"}\n'
    )
    address = image_route.address(candidate(catalog), VISITOR, person="aki")
    assert client.get(address, headers={"X-User": "aki"}).status_code == 200
    people.sign_in(catalog, "root", source="proxy", role="admin")
    people.set_active(catalog, "root", "aki", False)
    assert client.get(address, headers={"X-User": "aki"}).status_code == 403


def test_header_from_an_unlisted_address_is_dropped(
    served: Callable[..., Catalog], heard: pytest.LogCaptureFixture
) -> None:
    catalog = served(
        review='identity = "proxy"\nproxy_header = "X-User"\nproxy_addresses = ["10.0.0.9"]\nroles = {aki = "lead"}\n'
    )
    route = Route(image_route.ROUTE, image_route.picture, methods=["GET"])
    app = Starlette(routes=[route], middleware=[Middleware(TrustedHeader)])
    address = image_route.address(candidate(catalog), VISITOR, person="aki")
    with TestClient(app, cookies={image_route.COOKIE: VISITOR}, client=("10.0.0.4", 1)) as stranger:
        assert stranger.get(address, headers={"X-User": "aki"}).status_code == 403
        assert "X-User dropped: 1 copies from 10.0.0.4" in heard.text
    with TestClient(app, cookies={image_route.COOKIE: VISITOR}, client=("10.0.0.9", 1)) as proxy:
        assert proxy.get(address, headers={"x-USER": "aki"}).status_code == 200


def test_wrong_settings_show_no_picture(served: Callable[..., Catalog], client: TestClient) -> None:
    catalog = served(review='identity = "everyone"\n')
    address = f"/picture/{candidate(catalog)}?size=original&until={int(time.time()) + 99}&key=0"
    assert client.get(address).status_code == 403
