"""Start the server of the review screens: check `[review]`, then `streamlit run` with the settings that follow from it.

`adapt review` runs this as `python -m ui.serve HOST PORT`, with the workspace in `$ADAPT_WORKSPACE`. What is wrong with
the settings is one line on stderr and exit code 2.
"""

import os
import sys
from pathlib import Path

from catalog.errors import CatalogError
from ui import oidc, proxy, review_config
from ui.review_config import ReviewConfig

REFUSED = 2
"""Exit code for settings that a person has to change first."""
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def main(host: str, port: str) -> int:
    """Serve until stopped.

    Args:
        host: Address to listen on.
        port: Port to listen on.
    """
    workspace = Path(os.environ.get("ADAPT_WORKSPACE") or ".")
    try:
        # The one the screens will see, too: what is wrong with it is said here, where it can be put right.
        config = review_config.current()
        check_address(config, host)
        if config.identity == "oidc":
            oidc.check(workspace)
    except CatalogError as error:
        print(error, file=sys.stderr)
        return REFUSED
    # Left alone, the server would take the address of who is behind the proxy for the address of the proxy.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    from streamlit.web import cli

    app = Path(__file__).resolve().with_name("app.py")
    sys.argv = ["streamlit", "run", str(app), *flags(config, workspace, host, port)]
    return int(cli.main(standalone_mode=False) or 0)


def check_address(config: ReviewConfig, host: str) -> None:
    """Refuse an address on which people who are not who they say could decide.

    Raises:
        CatalogError: Typed names, or a header anybody could send, on an address that reaches other machines.
    """
    if proxy.is_loopback(host):
        return
    if config.identity == "local":
        raise CatalogError(
            f"--host {host} would let other machines in under any name; "
            'write identity = "oidc" or identity = "proxy" below [review] in adapt.toml, or leave --host out'
        )
    if config.identity == "proxy" and not config.proxy_addresses:
        raise CatalogError(
            f"--host {host} would believe {config.proxy_header} from anybody; "
            'list the proxy below [review] in adapt.toml: proxy_addresses = ["10.0.0.4"], or leave --host out'
        )


def flags(config: ReviewConfig, workspace: Path, host: str, port: str) -> list[str]:
    """Return what `streamlit run` gets beside `.streamlit/config.toml`."""
    hosts = dict.fromkeys((*THIS_MACHINE, host, *config.hosts))
    settings = [
        ("server.address", host),
        ("server.port", port),
        *(("server.allowedHosts", name) for name in hosts),
        # Also in the file, which variables of the environment would win over.
        ("server.headless", "true"),
        ("server.fileWatcherType", "none"),
        ("browser.gatherUsageStats", "false"),
    ]
    if config.identity == "oidc":
        settings.append(("secrets.files", str((workspace / oidc.SECRETS).resolve())))
    return [f"--{name}={value}" for name, value in settings]


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
