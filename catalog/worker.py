"""The process behind `catalog.workers`: it takes calls from its standard input and answers each on its standard output.

Calls and answers are frames of JSON, never pickle: decoders read hostile files here, and an answer must
not be able to run anything in the process that asked. A call names a function by its module and name;
the arguments are plain values, paths, bytes and dataclasses of this package.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import operator
import os
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO, Any

from catalog.phrases import Phrase, made, told

_LENGTH = struct.Struct(">I")
_PACKAGE = "catalog"


def encode(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Raises:
        TypeError: It is, or holds, something else than plain values, paths, bytes and dataclasses of this package.
    """
    if isinstance(value, Phrase):
        return {"phrase": value.template, "values": encode(value.values)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {"map": {str(key): encode(item) for key, item in value.items()}}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Path):
        return {"path": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: encode(getattr(value, field.name)) for field in fields(value) if field.init}
        return {"record": name_of(type(value)), "fields": content}
    raise TypeError(f"{type(value).__name__} cannot be sent to a worker")


def decode(value: Any) -> Any:
    """Return what `encode` was given; tuples come back as lists."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "map" in value:
        return {key: decode(item) for key, item in value["map"].items()}
    if "phrase" in value:
        return made(value["phrase"], decode(value["values"]))
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    if "path" in value:
        return Path(value["path"])
    kind = named(value["record"])
    if not (isinstance(kind, type) and is_dataclass(kind) and kind.__module__.partition(".")[0] == _PACKAGE):
        raise TypeError(f"{value['record']} is no record of this package")
    return kind(**{name: decode(item) for name, item in value["fields"].items()})


def name_of(what: Callable[..., Any]) -> str:
    """Return the name by which the other side finds a function or class of a module."""
    return f"{what.__module__}:{what.__qualname__}"


def named(name: str) -> Any:
    """Return the function or class `name_of` named."""
    module, _, attribute = name.partition(":")
    return operator.attrgetter(attribute)(importlib.import_module(module))


def write_frame(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write one message and flush."""
    content = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> dict[str, Any] | None:
    """Read one message; None when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return json.loads(content) if len(content) == length else None


def serve() -> None:
    """Answer calls until the other side closes the pipe."""
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    settings = read_frame(calls)
    if settings is None:
        return
    importlib.import_module(settings["module"])
    _limit_memory(settings["memory_bytes"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what a library prints must not end up among the answers
        os.dup2(nothing, descriptor)
    with contextlib.suppress(BrokenPipeError):
        write_frame(answers, {"ready": os.getpid()})
        while (call := read_frame(calls)) is not None:
            write_frame(answers, _answer(call, settings["timeout_s"]))


def _answer(call: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    _alarm(timeout_s)
    try:
        return {"result": encode(named(call["function"])(*decode(call["arguments"])))}
    except Exception as error:
        return {"error": name_of(type(error)), "said": encode(told(error))}
    finally:
        _alarm(0)


def _alarm(seconds: float) -> None:
    # Nothing handles the signal, so the system ends the process, also inside a library and without a parent.
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory(limit_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    # DATA counts what is allocated and private, so it follows the memory in use; AS would count mapped libraries too.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit_bytes < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, hard))


if __name__ == "__main__":
    serve()
    sys.stdout.flush()
