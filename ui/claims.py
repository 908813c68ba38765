"""What a tab holds is given back when its person goes to another screen; the same is offered when they come back.

Colleagues would wait for a picture that nobody looks at. What was typed for it stays in the browser.
"""

from catalog.errors import CatalogError
from ui import state
from ui.candidates import held


def keep_only(screen: str | None) -> None:
    """Give back what other screens than this one hold; None for no screen at all."""
    try:
        if screen != "review":
            state.step_away()
        if screen != "compare":
            held.step_away()
    except CatalogError:
        # The screen that was asked for matters more: a lease that nobody renews ends by itself.
        return
