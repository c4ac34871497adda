"""The table of what the engine can ask for."""

import typing


class Handler(typing.NamedTuple):
    """A function that answers a request, and where it must run."""

    run: typing.Callable
    in_main_thread: bool


HANDLERS = {}


def handles(name, in_main_thread=False):
    """Registers a function as the handler of a request."""

    def add(function):
        HANDLERS[name] = Handler(function, in_main_thread)
        return function

    return add
