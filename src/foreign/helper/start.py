"""Starts the helper: receives its sources and configuration, and runs it.

This is the program that Python gets on its command line. The other files of the directory arrive in
the first frame and are imported as the package `playbook_helper`, so nothing is written to disk.
"""

import importlib.abc
import importlib.util
import json
import os
import socket
import struct
import sys
import threading

PACKAGE = "playbook_helper"


class Link:
    """The socket to the engine: frames of JSON, each a length of four bytes and a body."""

    def __init__(self):
        # The socket is standard input; plugins that read standard input get an empty one.
        self._socket = socket.socket(fileno=os.dup(0))
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self._sending = threading.Lock()

    def send(self, frame):
        """Sends a frame."""
        text = json.dumps(frame).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        body = text.encode()
        with self._sending:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        """Returns the next frame, or None at the end."""
        head = self._read(4)
        body = None if head is None else self._read(struct.unpack(">I", head)[0])
        return None if body is None else json.loads(body)

    def _read(self, count):
        parts = []
        while count:
            part = self._socket.recv(min(count, 1 << 20))
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the package from the sources of the first frame."""

    def __init__(self, sources):
        self._sources = sources

    def find_spec(self, fullname, path=None, target=None):
        """Finds the package and its modules."""
        if fullname == PACKAGE or fullname.partition(".")[::2] in (
            (PACKAGE, name) for name in self._sources
        ):
            return importlib.util.spec_from_loader(fullname, self, is_package=fullname == PACKAGE)
        return None

    def is_package(self, fullname):
        """Tells the package from its modules."""
        return fullname == PACKAGE

    def get_source(self, fullname):
        """Returns the source of a module, for tracebacks too."""
        return self._sources.get(fullname.rpartition(".")[2], "")


def start():
    """Runs the helper until the engine closes the socket."""
    link = Link()
    first = link.receive()
    if first is None:
        return
    sys.argv = ["playbook"]
    sys.meta_path.insert(0, Sources(first["sources"]))
    importlib.import_module(PACKAGE + ".main").run(link, first["configuration"])


start()
