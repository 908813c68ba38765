"""What all components of the browser share: how their data goes to the browser."""

import subprocess
import sys

SERIALISED = """
import sys
from streamlit.components.v2.bidi_component.serialization import serialize_mixed_data
from streamlit.proto.BidiComponent_pb2 import BidiComponent
serialize_mixed_data([{"item": None, "texts": {}}], BidiComponent())
raise SystemExit("pandas" in sys.modules)
"""


def test_data_in_a_list_is_sent_without_pandas() -> None:
    # Importing it would keep the first visitor waiting for a second.
    assert subprocess.run([sys.executable, "-c", SERIALISED], check=False).returncode == 0
