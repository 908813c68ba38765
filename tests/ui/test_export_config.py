"""`[export]` names a certificate and its key, or says in one line what is wrong."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError
from ui.export_config import signing_pair


def test_signing_pair_starts_at_the_workspace(tmp_path: Path) -> None:
    assert signing_pair(tmp_path) is None
    settings = tmp_path / "adapt.toml"
    settings.write_text('[review]\nidentity = "local"\n')
    assert signing_pair(tmp_path) is None
    settings.write_text(f'[export]\nc2pa_certificate = "keys/c.pem"\nc2pa_key = "{tmp_path / "k.pem"}"\n')
    assert signing_pair(tmp_path) == (tmp_path / "keys" / "c.pem", tmp_path / "k.pem")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[export", "is not valid|cannot be read"),
        ("export = 3", r"export is 3; write a section that starts with \[export\]"),
        ('[export]\ncertificate = "c.pem"', "unknown setting 'certificate'; allowed are c2pa_certificate, c2pa_key"),
        ('[export]\nc2pa_key = "k.pem"', "c2pa_key stands alone; write the file that goes with it: c2pa_certificate"),
        ('[export]\nc2pa_certificate = "c.pem"', "c2pa_certificate stands alone; write .*: c2pa_key"),
        ("[export]\nc2pa_certificate = 3\nc2pa_key = 4", "c2pa_certificate is 3; write the path of a PEM file"),
        ('[export]\nc2pa_certificate = " "\nc2pa_key = "k"', "c2pa_certificate is ' '; write the path of a PEM file"),
        ('[export]\nc2pa_certificate = "a\\u0000"\nc2pa_key = "k"', "write the path of a PEM file in quotes"),
    ],
)
def test_signing_pair_refuses_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "adapt.toml").write_text(text)
    with pytest.raises(CatalogError, match=said) as caught:
        signing_pair(tmp_path)
    assert "\n" not in str(caught.value)
