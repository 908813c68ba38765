"""The server of the review screens: `main.py` as the page, a route for pictures, the document's language.

Started by `adapt review`, which runs `ui.serve`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from ui import image_route
from ui.document import Document
from ui.proxy import TrustedHeader


async def first_screen(request: Request) -> RedirectResponse:
    """Send on who asks for the first screen by its name: Streamlit knows it under "/" alone, and says "not found"."""
    return RedirectResponse(f"./?{request.url.query}" if request.url.query else "./")


app = st.App(
    Path(__file__).resolve().with_name("main.py"),
    routes=[
        Route(image_route.ROUTE, image_route.picture, methods=["GET"]),
        Route("/home", first_screen, methods=["GET"]),
    ],
    middleware=[Middleware(TrustedHeader), Middleware(Document)],
)
