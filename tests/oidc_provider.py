"""A small identity provider on this machine: OpenID Connect with PKCE, signed by a key of its own."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "adapt-review", "known to these two alone"


@dataclass
class Provider:
    """What the provider knows; tests change who may sign in and when they did."""

    people: dict[str, dict[str, Any]]
    """Name on the provider's page → claims."""
    age_s: float = 0.0
    """How long ago it says that people signed in."""
    url: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "use": "sig", "alg": "ES256"}))
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """Code → what was asked for when it was given out, and who chose to sign in."""

    def settings(self, server: str) -> str:
        """Return the `secrets.toml` of a server that trusts this provider."""
        return (
            f'[auth]\nredirect_uri = "{server}/oauth2callback"\ncookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def page(self, asked: dict[str, str]) -> str:
        """Return the page on which one chooses who to be."""
        links = "".join(
            f'<p><a href="/chosen?{html.escape(urlencode({**asked, "person": name}))}">{html.escape(name)}</a></p>'
            for name in self.people
        )
        return f"<!doctype html><title>Provider</title><h1>Who are you?</h1>{links}"

    def code_for(self, asked: dict[str, str]) -> str:
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return code

    def token(self, code: str, verifier: str, redirect_uri: str, credentials: str) -> dict[str, Any] | None:
        """Return tokens for a code, once; None when anything about the request is wrong."""
        asked = self.asked.pop(code, None)
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != digest or asked["redirect_uri"] != redirect_uri:
            return None
        if credentials != base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": asked["person"],
            "nonce": asked["nonce"],
            "iat": now - int(self.age_s),
            "exp": now + 600,
            **self.people[asked["person"]],
        }
        signed = jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.key, algorithms=["ES256"])
        return {"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": 600, "id_token": signed}


@contextmanager
def providing(people: dict[str, dict[str, Any]]) -> Iterator[Provider]:
    """Run a provider on a free port of this machine."""
    provider = Provider(people=people)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            way, asked = urlsplit(self.path), self._values(urlsplit(self.path).query)
            if way.path == "/.well-known/openid-configuration":
                self._answer(200, json.dumps(provider.described()), "application/json")
            elif way.path == "/keys":
                self._answer(200, json.dumps({"keys": [provider.key.as_dict(private=False)]}), "application/json")
            elif way.path == "/authorize" and asked.get("client_id") == CLIENT:
                self._answer(200, provider.page(asked), "text/html; charset=utf-8")
            elif way.path == "/chosen":
                back = urlencode({"code": provider.code_for(asked), "state": asked["state"]})
                self._go(f"{asked['redirect_uri']}?{back}")
            elif way.path == "/end":
                self._go(asked["post_logout_redirect_uri"])
            else:
                self._answer(404, "no such page", "text/plain")

        def do_POST(self) -> None:
            sent = self._values(self.rfile.read(int(self.headers["Content-Length"])).decode())
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            made = provider.token(sent["code"], sent.get("code_verifier", ""), sent["redirect_uri"], given)
            answer = {"error": "invalid_grant"} if made is None else made
            self._answer(400 if made is None else 200, json.dumps(answer), "application/json")

        def log_message(self, *_: object) -> None:
            """Say nothing in the output of the tests."""

        @staticmethod
        def _values(text: str) -> dict[str, str]:
            return {name: values[0] for name, values in parse_qs(text).items()}

        def _go(self, where: str) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.end_headers()

        def _answer(self, status: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
