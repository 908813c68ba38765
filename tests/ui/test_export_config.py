"""`[export]` names a certificate and its key, or says in one line what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from ui.export_config import Signing, signing


def test_signing_starts_at_the_workspace(tmp_path: Path) -> None:
    assert signing(tmp_path) is None
    settings = tmp_path / "adapt.toml"
    settings.write_text('[review]\nidentity = "local"\n')
    assert signing(tmp_path) is None
    settings.write_text(f'[export]\nc2pa_certificate = "keys/c.pem"\nc2pa_key = "{tmp_path / "k.pem"}"\n')
    expected = Signing(certificate=tmp_path / "keys" / "c.pem", key=tmp_path / "k.pem")
    assert signing(tmp_path) == expected
    settings.write_text(settings.read_text() + 'c2pa_tsa = "https://tsa.example.com"\n')
    assert signing(tmp_path) == replace(expected, stamps_from="https://tsa.example.com")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[export", "cannot be read"),
        ("export = 3", r"export is 3; write a section that starts with \[export\]"),
        (
            '[export]\ncertificate = "c.pem"',
            "unknown setting 'certificate'; allowed are c2pa_certificate, c2pa_key",
        ),
        (
            '[export]\nc2pa_key = "k.pem"',
            "c2pa_certificate is missing; write the path of a PEM file: c2pa_cert",
        ),
        ('[export]\nc2pa_certificate = "c.pem"', "c2pa_key is missing; write .*: c2pa_key ="),
        ('[export]\nc2pa_tsa = "https://a"', "c2pa_certificate is missing"),
        ("[export]\nc2pa_tsa = 3", "c2pa_tsa is 3; write an https address in quotes"),
        ("[export]\nc2pa_certificate = 3\nc2pa_key = 4", "c2pa_certificate is 3; write the path of a PEM file"),
        ('[export]\nc2pa_certificate = " "\nc2pa_key = "k"', "c2pa_certificate is ' '; write the path of a PEM file"),
        ('[export]\nc2pa_certificate = "a\\u0000"\nc2pa_key = "k"', "write the path of a PEM file in quotes"),
    ],
)
def test_signing_refuses_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "adapt.toml").write_text(text)
    with pytest.raises(CatalogError, match=said) as caught:
        signing(tmp_path)
    assert "\n" not in str(caught.value)
