"""Content credentials (C2PA): sign a picture with the company's own certificate, and check the signature offline.

The manifest states that a trained model made the picture, and what the review said: verdict, version of the policy and
number of reviewers. No person is named, no thumbnail added, and nobody on the network is asked for anything, except for
the time where a time-stamp service was named: a stamp proves that a signature was made while its certificate held.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from catalog import provenance
from catalog.errors import ExportRefused
from catalog.phrases import say, told

REVIEW = "adapt.review"
"""Label of our assertion."""
_GOOD = ("Valid", "Trusted")
_SETTINGS = {
    "version": 1,
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_INSTALL = say("C2PA needs the package c2pa-python; install it with: pip install 'adapt[c2pa]'")


class StampRefused(ExportRefused):
    """The time-stamp service gave no stamp; it may do so later."""


class PictureSigner:
    """Signs pictures with one certificate.

    Attributes:
        certificate_sha256: Digest of the certificate file, which names it without showing it.
        stamps_from: Address of the time-stamp service; empty for none.
    """

    def __init__(self, certificate: Path, key: Path, *, stamps_from: str = "") -> None:
        """Read certificate and key, and sign and check a picture of one pixel.

        Args:
            certificate: PEM file, the signer's own certificate first, then those above it.
            key: PEM file with its private key: EC, Ed25519 or RSA, without a password.
            stamps_from: Address of a time-stamp service (RFC 3161), asked once a picture; default asks nobody.

        Raises:
            StampRefused: The time-stamp service cannot be reached or gives no stamp.
            ExportRefused: The extra is not installed, a file cannot be read or used, or the signature would not be
                valid.
        """
        c2pa = _library()
        chain, secret = _read(certificate, say("certificate")), _read(key, say("key"))
        parts = {"alg": _algorithm(certificate, chain, key, secret), "sign_cert": chain, "private_key": secret}
        self.stamps_from = stamps_from and _checked_service(stamps_from)
        self.certificate_sha256 = hashlib.sha256(chain).hexdigest()
        self._library, self._context = c2pa, _context(c2pa)
        try:
            self._signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(**parts, ta_url=None))
            found = state(self.sign(_one_pixel(), review_of(0, 0)))
        except c2pa.C2paError as error:
            raise ExportRefused(
                say(
                    "cannot sign with {certificate} and {key} ({detail}); give another pair",
                    certificate=certificate,
                    key=key,
                    detail=_said(error),
                )
            ) from error
        if found not in _GOOD:
            raise ExportRefused(
                say(
                    "a signature with {certificate} is {found}; give a certificate that is in force and may sign "
                    "documents",
                    certificate=certificate,
                    found=found,
                )
            )

        if self.stamps_from:
            # After all the rest: what fails from here on is the service.
            self._signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(**parts, ta_url=self.stamps_from.encode()))
            if problem(self.sign(_one_pixel(), review_of(0, 0)), review_of(0, 0), stamped=True) is not None:
                raise self._no_stamp(say("its stamp is not valid"))

    def sign(self, data: bytes, review: Mapping[str, Any]) -> bytes:
        """Return a picture with a signed manifest; its pixels and what it carried stay.

        Args:
            data: A JPEG, PNG or WebP file.
            review: What `review_of` returns.

        Raises:
            StampRefused: The time-stamp service gave no stamp.
        """
        manifest = {
            "claim_generator_info": [{"name": "adapt"}],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": provenance.TRAINED}]},
                },
                {"label": REVIEW, "data": dict(review)},
            ],
        }
        signed = BytesIO()
        with self._library.Builder(json.dumps(manifest), self._context) as builder:
            try:
                builder.sign(self._signer, _media_type(data), BytesIO(data), signed)
            except self._library.C2paError as error:
                if not self.stamps_from:
                    raise
                raise self._no_stamp(_said_of_service(error)) from error
        return signed.getvalue()

    def _no_stamp(self, detail: str) -> StampRefused:
        return StampRefused(
            say(
                "no time stamp from {service} ({detail}); run the same command again later, or leave --c2pa-tsa out",
                service=self.stamps_from,
                detail=detail,
            )
        )


def review_of(policy_version: int, reviewers: int) -> dict[str, Any]:
    """Return the assertion about an approved picture."""
    return {"verdict": "approved", "policy_version": policy_version, "reviewers": reviewers}


def state(data: bytes) -> str:
    """Return what the signature of a picture is worth: `Valid`, `Trusted`, `Invalid`, or `none` without one."""
    return _read_back(data)[0]


def problem(data: bytes, review: Mapping[str, Any], *, stamped: bool = False) -> str | None:
    """Return what is wrong with a picture's signature; None when it is valid and states this review.

    Args:
        data: The picture.
        review: What `review_of` returns.
        stamped: Whether it must carry a time stamp too.

    Raises:
        ExportRefused: The extra is not installed.
    """
    found, stated, stamp = _read_back(data)
    if found == "none":
        return say("carries no C2PA signature")
    if found not in _GOOD:
        return say("its C2PA signature is {found}", found=found)
    if stamped and not stamp:
        return say("its C2PA signature carries no time stamp")
    return None if stated == dict(review) else say("its C2PA signature is about another review")


def _read_back(data: bytes) -> tuple[str, dict[str, Any] | None, str]:
    """Return what a signature is worth, the review it states, and its time, empty without a stamp."""
    c2pa = _library()
    try:
        reader = c2pa.Reader.try_create(_media_type(data), BytesIO(data), context=_context(c2pa))
        if reader is None:
            return "none", None, ""
        with reader:
            active = reader.get_active_manifest() or {}
            stated = [made["data"] for made in active.get("assertions", ()) if made["label"] == REVIEW]
            time = str((active.get("signature_info") or {}).get("time") or "")
            return reader.get_validation_state() or "Invalid", stated[0] if len(stated) == 1 else None, time
    except c2pa.C2paError:
        return "Invalid", None, ""


def _library() -> Any:
    try:
        import c2pa
    except ImportError as error:
        raise ExportRefused(_INSTALL) from error
    return c2pa


def _context(c2pa: Any) -> Any:
    return c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))


def _algorithm(certificate: Path, chain: bytes, key: Path, secret: bytes) -> bytes:
    """Return the name of the signature that goes with a key, which must belong to the certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise ExportRefused(
            say("{certificate} holds no certificate; give a PEM file, the signer's own first", certificate=certificate)
        ) from error
    try:
        private = load_pem_private_key(secret, password=None)
    except TypeError as error:
        raise ExportRefused(
            say("{key} has a password; give a PEM file without one, readable by you alone", key=key)
        ) from error
    except ValueError as error:
        raise ExportRefused(say("{key} holds no private key; give a PEM file", key=key)) from error
    if private.public_key() != leaf.public_key():
        raise ExportRefused(
            say(
                "{key} is not the key of {certificate}; give the pair that belongs together",
                key=key,
                certificate=certificate,
            )
        )
    if isinstance(private, ec.EllipticCurvePrivateKey):
        names = {"secp256r1": b"es256", "secp384r1": b"es384", "secp521r1": b"es512"}
        if private.curve.name in names:
            return names[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return b"ps256"
    raise ExportRefused(
        say("{key} is of a kind C2PA does not know; allowed: EC P-256, P-384, P-521, Ed25519, RSA", key=key)
    )


def _checked_service(url: str) -> str:
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain = False
    if not plain or not url.isascii() or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise ExportRefused(
            say("--c2pa-tsa {url!r}: give the http or https address of a time-stamp service (RFC 3161)", url=url)
        )
    return url


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportRefused(
            say(
                "cannot read the {what} {path} ({error}); --c2pa CERT KEY takes two files",
                what=what,
                path=path,
                error=told(error),
            )
        ) from error


def _media_type(data: bytes) -> str:
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/png" if data.startswith(b"\x89PNG") else "image/webp"


def _one_pixel() -> bytes:
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


def _said(error: Exception) -> str:
    return " ".join(str(error).split())


def _said_of_service(error: Exception) -> str:
    """Return the part of an error that is about a service of the network, without its address."""
    return re.sub(r" for url \(.*", "", _said(error).rpartition("resolver: ")[2]).removesuffix(")")
