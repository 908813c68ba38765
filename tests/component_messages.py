"""A component under AppTest: what it was given, and the messages that its browser part would send."""

import json
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest


def data_of(app: AppTest) -> dict[str, Any]:
    """Return what the page's one component shows."""
    (shown,) = json.loads(_component(app).json)
    return dict(shown)


def send(app: AppTest, name: str, **message: object) -> AppTest:
    """Send a message as the browser does and run the page."""
    states = app._tree.get_widget_states()
    trigger = json.dumps([{"event": name, "value": message}])
    # The id under which the browser's part sends its messages.
    aggregator = f"$$STREAMLIT_INTERNAL_KEY_{_component(app).id}__events"
    states.widgets.append(WidgetState(id=aggregator, json_trigger_value=trigger))
    app._run(states)
    assert not app.exception
    return app


def _component(app: AppTest) -> Any:
    (component,) = app.get("bidi_component")
    return component.proto
