"""Errors and messages as text."""

from ansible.errors import AnsibleConnectionFailure, AnsibleUndefinedVariable


def fault(error):
    """Returns an error in the form in which the engine receives it."""
    return {
        "fault": text_of(error),
        "help": getattr(error, "_help_text", None),
        "kind": type(error).__name__,
        "undefined": isinstance(error, AnsibleUndefinedVariable),
        "unreachable": isinstance(error, AnsibleConnectionFailure),
    }


def text_of(error):
    """Returns the message of an error and those of its causes, each once."""
    parts = []
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        own = getattr(error, "_original_message", None) or getattr(error, "message", None)
        text = str(own or error).strip() or type(error).__name__
        if not any(text in part for part in parts):
            parts.append(text)
        error = error.__cause__
    return ": ".join([part.rstrip(".") for part in parts[:-1]] + parts[-1:])


def deepest(error):
    """Returns the first cause of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def text_of_summary(summary):
    """Returns the message of a warning or error that a plugin reported, with its causes."""
    if isinstance(summary, str):
        return summary
    event = getattr(summary, "event", summary)
    parts = []
    while event is not None:
        parts.append(str(getattr(event, "msg", event)))
        chain = getattr(event, "chain", None)
        event = getattr(chain, "event", None) if chain else None
    return ": ".join(parts)


def deprecation_of(summary):
    """Returns a deprecation that a plugin reported as the dict of a result."""
    if isinstance(summary, (str, dict)):
        return summary
    told = {"msg": text_of_summary(summary)}
    for name in ("version", "date"):
        if getattr(summary, name, None) is not None:
            told[name] = str(getattr(summary, name))
    name = getattr(getattr(summary, "deprecator", None), "resolved_name", None)
    if name:
        told["collection_name"] = ".".join(name.split(".")[:2])
    return told
