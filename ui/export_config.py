"""The `[export]` section of a workspace's `adapt.toml`: which certificate the Export screen may sign with.

```toml
[export]
c2pa_certificate = "keys/certificate.pem"   # PEM, the signer's own first; relative paths start at the workspace
c2pa_key = "keys/key.pem"                   # PEM without a password, readable by the server alone
```

Screens take no path that was typed: what the answer says of it would tell which files are on the server.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.errors import CatalogError

_CERTIFICATE, _KEY = "c2pa_certificate", "c2pa_key"


def signing_pair(workspace: Path) -> tuple[Path, Path] | None:
    """Return certificate and key as they are configured now, None where nothing is.

    Raises:
        CatalogError: The file is not TOML, or a setting is unknown, alone or no path.
    """
    path = workspace / "adapt.toml"
    try:
        section = tomllib.loads(path.read_text(encoding="utf-8")).get("export", {})
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path} cannot be read ({error}); correct it or remove it") from error
    if not isinstance(section, dict):
        raise CatalogError(f"{path}: export is {section!r}; write a section that starts with [export]")
    return _checked(section, workspace, f"{path} [export]")


def _checked(section: Mapping[str, Any], workspace: Path, where: str) -> tuple[Path, Path] | None:
    for name, value in section.items():
        if name not in (_CERTIFICATE, _KEY):
            raise CatalogError(f"{where}: unknown setting {name!r}; allowed are {_CERTIFICATE}, {_KEY}")
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            raise CatalogError(f"{where}: {name} is {value!r}; write the path of a PEM file in quotes")
    if not section:
        return None
    for name, other in ((_CERTIFICATE, _KEY), (_KEY, _CERTIFICATE)):
        if name not in section:
            raise CatalogError(f'{where}: {other} stands alone; write the file that goes with it: {name} = "…"')
    certificate, key = (workspace / Path(section[name].strip()).expanduser() for name in (_CERTIFICATE, _KEY))
    return certificate, key
