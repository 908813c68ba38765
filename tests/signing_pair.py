"""A certificate authority of our own and signing certificates by it, made anew for each test run."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


def signing_pair(
    folder: Path,
    *,
    days: int = 365,
    curve: ec.EllipticCurve | None = None,
    password: bytes | None = None,
    stamps: bool = False,
) -> tuple[Path, Path]:
    """Write `certificate.pem`, the signer's and the authority's, and `key.pem`; valid from 30 days ago for `days`.

    With `stamps` the pair signs times, not documents.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(curve or ec.SECP256R1())
    root = _begin("root", "root", authority_key, 3650).add_extension(x509.BasicConstraints(True, None), True)
    root = root.add_extension(_usage(certificates=True), True)
    leaf = _begin("signer", "root", key, days).add_extension(x509.BasicConstraints(False, None), True)
    leaf = leaf.add_extension(_usage(certificates=False), True)
    purpose = ExtendedKeyUsageOID.TIME_STAMPING if stamps else ExtendedKeyUsageOID.EMAIL_PROTECTION
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([purpose]), stamps)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    leaf = leaf.add_extension(authority, False)
    folder.mkdir(parents=True, exist_ok=True)
    chain = [made.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM) for made in (leaf, root)]
    (folder / "certificate.pem").write_bytes(b"".join(chain))
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return folder / "certificate.pem", folder / "key.pem"


def _begin(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    since = datetime.datetime.now(datetime.UTC) - 30 * _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + days * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
