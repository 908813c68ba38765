"""Content credentials (C2PA): sign a picture with the company's own certificate, and check the signature offline.

The manifest states that a trained model made the picture, and what the review said: verdict, version of the policy and
number of reviewers. No person is named, no thumbnail added, and nobody on the network is asked for anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

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


class PictureSigner:
    """Signs pictures with one certificate.

    Attributes:
        certificate_sha256: Digest of the certificate file, which names it without showing it.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read certificate and key, and sign and check a picture of one pixel.

        Args:
            certificate: PEM file, the signer's own certificate first, then those above it.
            key: PEM file with its private key: EC, Ed25519 or RSA, without a password.

        Raises:
            ExportRefused: The extra is not installed, a file cannot be read or used, or the signature would not be
                valid.
        """
        c2pa = _library()
        chain, secret = _read(certificate, say("certificate")), _read(key, say("key"))
        info = c2pa.C2paSignerInfo(
            alg=_algorithm(certificate, chain, key, secret), sign_cert=chain, private_key=secret, ta_url=None
        )
        self.certificate_sha256 = hashlib.sha256(chain).hexdigest()
        self._library, self._context = c2pa, _context(c2pa)
        try:
            self._signer = c2pa.Signer.from_info(info)
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

    def sign(self, data: bytes, review: Mapping[str, Any]) -> bytes:
        """Return a picture with a signed manifest; its pixels and what it carried stay.

        Args:
            data: A JPEG, PNG or WebP file.
            review: What `review_of` returns.
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
            builder.sign(self._signer, _media_type(data), BytesIO(data), signed)
        return signed.getvalue()


def review_of(policy_version: int, reviewers: int) -> dict[str, Any]:
    """Return the assertion about an approved picture."""
    return {"verdict": "approved", "policy_version": policy_version, "reviewers": reviewers}


def state(data: bytes) -> str:
    """Return what the signature of a picture is worth: `Valid`, `Trusted`, `Invalid`, or `none` without one."""
    return _read_back(data)[0]


def problem(data: bytes, review: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a picture's signature; None when it is valid and states this review.

    Raises:
        ExportRefused: The extra is not installed.
    """
    found, stated = _read_back(data)
    if found == "none":
        return say("carries no C2PA signature")
    if found not in _GOOD:
        return say("its C2PA signature is {found}", found=found)
    return None if stated == dict(review) else say("its C2PA signature is about another review")


def _read_back(data: bytes) -> tuple[str, dict[str, Any] | None]:
    c2pa = _library()
    try:
        reader = c2pa.Reader.try_create(_media_type(data), BytesIO(data), context=_context(c2pa))
        if reader is None:
            return "none", None
        with reader:
            active = reader.get_active_manifest() or {}
            stated = [made["data"] for made in active.get("assertions", ()) if made["label"] == REVIEW]
            return reader.get_validation_state() or "Invalid", stated[0] if len(stated) == 1 else None
    except c2pa.C2paError:
        return "Invalid", None


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
