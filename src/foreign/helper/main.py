"""Answers the requests of the engine."""

import importlib
import os
import queue
import sys
import threading
import traceback

from .conversation import Conversation
from .requests import HANDLERS

# What answers requests; each module adds its own when it is imported.
MODULES = ("plugins", "actions", "connections", "inventory", "callbacks")


def run(link, configuration):
    """Loads ansible-core, and answers requests until the socket is closed."""
    try:
        # Directories that flags name count as configured ones do.
        os.environ["ANSIBLE_LIBRARY"] = os.pathsep.join(configuration["library"])
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(configuration["collections"])
        core = importlib.import_module(".core", __package__)
        core.set_up(configuration)
        for name in MODULES:
            importlib.import_module("." + name, __package__)
    except (
        Exception
    ) as error:  # whatever keeps ansible-core from being imported is told to the engine
        missing = isinstance(error, ModuleNotFoundError)
        link.send({"error": f"it has no ansible-core 2.19 ({error})" if missing else str(error)})
        return
    link.send({"executable": sys.executable, "version": core.VERSION})
    Server(link, configuration["verbosity"]).serve()
    sys.stdout.flush()
    os._exit(0)


class Server:
    """Reads frames, and has requests answered.

    Each request has a thread of its own, since it may ask back and wait. Callback plugins run in
    the main thread: some of them handle signals, which Python allows nowhere else.
    """

    def __init__(self, link, verbosity):
        self._link = link
        self._verbosity = verbosity
        self._conversations = {}
        self._main = queue.SimpleQueue()

    def serve(self):
        """Answers requests until the socket is closed."""
        threading.Thread(target=self._read, daemon=True).start()
        while (job := self._main.get()) is not None:
            self._answer(*job)

    def _read(self):
        while (frame := self._link.receive()) is not None:
            number = frame["id"]
            if "ask" not in frame:
                if number in self._conversations:
                    self._conversations[number].put(frame)
                continue
            conversation = self._conversations[number] = Conversation(self._link, number)
            handler = HANDLERS.get(frame["ask"])
            if handler is not None and handler.in_main_thread:
                self._main.put((conversation, frame))
            else:
                threading.Thread(
                    target=self._answer, args=(conversation, frame), daemon=True
                ).start()
        self._main.put(None)

    def _answer(self, conversation, frame):
        number = conversation.number
        try:
            reply = {
                "id": number,
                "answer": HANDLERS[frame["ask"]].run(conversation, frame.get("body")),
            }
        except (
            BaseException
        ) as error:  # a plugin may even exit; the engine gets an answer to everything
            errors = importlib.import_module(".errors", __package__)
            reply = {"id": number, **errors.fault(error)}
            if self._verbosity >= 3:
                traceback.print_exc()
        finally:
            self._conversations.pop(number, None)
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            self._link.send(reply)
        except (TypeError, ValueError) as error:
            self._link.send({"id": number, "fault": f"the answer cannot be sent: {error}"})
