"""The `[export]` section of a workspace's `adapt.toml`: what the Export screen may sign pictures with.

```toml
[export]
c2pa_certificate = "keys/certificate.pem"   # PEM, the signer's own first; relative paths start at the workspace
c2pa_key = "keys/key.pem"                   # PEM without a password, readable by the server alone
c2pa_tsa = "https://tsa.example.com"        # optional: stamps each signature; the only request that leaves the house
```

Screens take no path that was typed: what the answer says of it would tell which files are on the server.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import CatalogError
from catalog.phrases import say, told

_CERTIFICATE, _KEY, _SERVICE = SETTINGS = ("c2pa_certificate", "c2pa_key", "c2pa_tsa")


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What to sign with; whether the files can be used is found out when they are."""

    certificate: Path
    key: Path
    stamps_from: str = ""
    """Address of a time-stamp service; empty for none."""


def signing(workspace: Path) -> Signing | None:
    """Return what is configured now, None where nothing is.

    Raises:
        CatalogError: The file is not TOML, or a setting is unknown, missing or no text.
    """
    path = workspace / "adapt.toml"
    try:
        section = tomllib.loads(path.read_text(encoding="utf-8")).get("export", {})
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogError(
            say("{path} cannot be read ({error}); correct it or remove it", path=path, error=told(error))
        ) from error
    if not isinstance(section, dict):
        raise CatalogError(
            say("{path}: export is {section!r}; write a section that starts with [export]", path=path, section=section)
        )
    return _checked(section, workspace, f"{path} [export]")


def _checked(section: Mapping[str, Any], workspace: Path, where: str) -> Signing | None:
    for name, value in section.items():
        if name not in SETTINGS:
            raise CatalogError(
                say(
                    "{where}: unknown setting {name!r}; allowed are {allowed}",
                    where=where,
                    name=name,
                    allowed=", ".join(SETTINGS),
                )
            )
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            kind = say("an https address") if name == _SERVICE else say("the path of a PEM file")
            raise CatalogError(
                say(
                    "{where}: {name} is {value!r}; write {kind} in quotes",
                    where=where,
                    name=name,
                    value=value,
                    kind=kind,
                )
            )
    if not section:
        return None
    for name in (_CERTIFICATE, _KEY):
        if name not in section:
            raise CatalogError(
                say('{where}: {name} is missing; write the path of a PEM file: {name} = "…"', where=where, name=name)
            )
    certificate, key = (workspace / Path(section[name].strip()).expanduser() for name in (_CERTIFICATE, _KEY))
    return Signing(certificate=certificate, key=key, stamps_from=section.get(_SERVICE, "").strip())
