"""The measurements of `adapt evaluate`, one file a subject; each draws what it needs and returns figures by name."""
