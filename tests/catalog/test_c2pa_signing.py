"""Signatures are valid, made without the network, say what the review said, and name nobody."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("c2pa")

from cryptography.hazmat.primitives.asymmetric import ec
from signing_pair import signing_pair

from catalog import provenance
from catalog.c2pa_signing import PictureSigner, problem, review_of, state
from catalog.errors import ExportRefused

REVIEW = review_of(3, 2)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return signing_pair(tmp_path_factory.mktemp("pair"))


def picture(fmt: str) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, fmt, lossless=True)
    return provenance.mark(out.getvalue())


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_signature_is_valid_and_keeps_pixels_and_mark(pair: tuple[Path, Path], fmt: str) -> None:
    plain = picture(fmt)
    signed = PictureSigner(*pair).sign(plain, REVIEW)
    assert (state(plain), state(signed)) == ("none", "Valid")
    assert problem(signed, REVIEW) is None
    assert np.array_equal(pixels_of(plain), pixels_of(signed))
    assert provenance.source_type(signed) == provenance.TRAINED
    assert len(signed) - len(plain) < 8_000  # no thumbnail


def test_signature_tells_what_was_done_to_a_picture(pair: tuple[Path, Path]) -> None:
    signed = PictureSigner(*pair).sign(picture("JPEG"), REVIEW)
    changed = bytearray(signed)
    changed[-40] ^= 1
    assert problem(bytes(changed), REVIEW) == "its C2PA signature is Invalid"
    again = io.BytesIO()
    Image.open(io.BytesIO(signed)).save(again, "JPEG")
    assert problem(again.getvalue(), REVIEW) == "carries no C2PA signature"
    assert problem(signed, review_of(3, 1)) == "its C2PA signature is about another review"


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_signature_follows_the_kind_of_key(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    assert state(PictureSigner(*signing_pair(tmp_path, curve=curve)).sign(picture("PNG"), REVIEW)) == "Valid"


def _missing(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    return folder / "nowhere.pem", other[1]


def _junk_certificate(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    (folder / "junk.pem").write_text("junk")
    return folder / "junk.pem", other[1]


def _junk_key(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    (folder / "junk.pem").write_text("junk")
    return other[0], folder / "junk.pem"


def _strangers(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    return other[0], signing_pair(folder)[1]


def _locked(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    return signing_pair(folder, password=b"secret")


def _expired(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    return signing_pair(folder, days=10)


def _odd_curve(folder: Path, other: tuple[Path, Path]) -> tuple[Path, Path]:
    return signing_pair(folder, curve=ec.SECP256K1())


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_missing, "cannot read the certificate"),
        (_junk_certificate, "holds no certificate; give a PEM file"),
        (_junk_key, "holds no private key; give a PEM file"),
        (_strangers, "is not the key of"),
        (_locked, "has a password; give a PEM file without one"),
        (_expired, "the certificate was not valid at time of signing"),
        (_odd_curve, "allowed: EC P-256, P-384, P-521, Ed25519, RSA"),
    ],
)
def test_signer_refuses_in_one_line(
    pair: tuple[Path, Path], tmp_path: Path, made: Callable[..., tuple[Path, Path]], said: str
) -> None:
    with pytest.raises(ExportRefused, match=said) as caught:
        PictureSigner(*made(tmp_path, pair))
    assert "\n" not in str(caught.value) and "PRIVATE KEY" not in str(caught.value)


def test_signer_says_which_package_is_missing(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(ExportRefused, match=r"pip install 'adapt\[c2pa\]'"):
        PictureSigner(*pair)
