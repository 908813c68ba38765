"""The review screen in parts: what it shows (`contents`), what its keys do (`moves`), the page itself (`screen`)."""
