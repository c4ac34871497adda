"""Runs action plugins: what they do to the host goes through the engine."""

import base64
import contextlib
import os
import traceback

from ansible._internal._display_utils import DeferredWarningContext
from ansible.errors import AnsibleAction, AnsibleActionSkip, AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

from .core import LOADER, LOADING, TaskContext, plugin_loader, verbosity
from .errors import deprecation_of, text_of, text_of_summary
from .requests import handles
from .values import decode, encode
from .variables import Variables, templar_for


def task_context(task, variables, host):
    """Returns the context in which a task's plugins run; versions before 2.21 have none."""
    if TaskContext is None:
        return contextlib.nullcontext()
    return TaskContext.create(task=task, task_vars=variables, host_name=host)


def finished_task(attributes):
    """Returns a task with these attributes, which is not to be rendered any more."""
    task = Task()
    for name, value in attributes.items():
        if value is not None:
            setattr(task, name, value)
    task._squashed = task._finalized = True
    return task


class Connection(ConnectionBase):
    """The engine's own connection to the host."""

    transport = "playbook"
    has_pipelining = True
    _load_name = "playbook"

    def __init__(self, conversation, play_context, plugin, port=None):
        self.allow_executable = True
        super().__init__(play_context)
        self._conversation, self._connected = conversation, True
        self.transport = plugin
        self.port = port
        self._ansible_playbook_pid = os.getppid()

    def _connect(self):
        return self

    def close(self):
        """Does nothing: the engine closes its connections."""

    def reset(self):
        """Does nothing: the engine keeps its connections."""

    def get_option(self, option, hostvars=None):
        """Returns what plugins ask of a connection."""
        known = {
            "host": self._play_context.remote_addr,
            "pipelining": True,
            "port": self.port,
            "remote_user": self._play_context.remote_user,
        }
        return known[option]

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """Runs a command on the host."""
        body = {"command": cmd if isinstance(cmd, str) else cmd.decode()}
        if in_data is not None:
            data = in_data if isinstance(in_data, bytes) else in_data.encode()
            body["stdin"] = base64.b64encode(data).decode()
        done = self._conversation.ask("execute", body)
        return done["rc"], base64.b64decode(done["stdout"]), base64.b64decode(done["stderr"])

    def put_file(self, in_path, out_path):
        """Copies a file to the host."""
        with open(in_path, "rb") as source:
            content = source.read()
        rc, _, err = self.exec_command(f"cat > {self._shell.quote(out_path)}", in_data=content)
        if rc:
            reason = err.decode("utf-8", "replace")
            raise AnsibleError(f"failed to transfer file to {out_path}: {reason}")

    def fetch_file(self, in_path, out_path):
        """Copies a file from the host."""
        rc, out, err = self.exec_command(f"base64 < {self._shell.quote(in_path)}")
        if rc:
            raise AnsibleError(f"failed to fetch file {in_path}: {err.decode('utf-8', 'replace')}")
        with open(out_path, "wb") as target:
            target.write(base64.b64decode(out))


def execute_module(self, module_name=None, module_args=None, **_options):
    """Runs a module through the engine, in place of `ActionBase._execute_module`."""
    args = self._task.args if module_args is None else module_args
    body = {
        "name": module_name or self._task.action,
        "args": encode(dict(args.items())),
        "check_mode": bool(self._task.check_mode),
        "diff": bool(self._task.diff),
    }
    result = decode(self._connection._conversation.ask("module", body))
    for name in ("stdout", "stderr"):
        if name in result and name + "_lines" not in result:
            result[name + "_lines"] = (result[name] or "").splitlines()
    result["_ansible_parsed"] = True
    return result


_ORIGINAL_EXECUTE_MODULE = ActionBase._execute_module


def _dispatching(self, *args, **options):
    own = isinstance(self._connection, Connection)
    if not own:
        return _ORIGINAL_EXECUTE_MODULE(self, *args, **options)
    named = dict(zip(("module_name", "module_args"), args, strict=False))
    return execute_module(self, **named, **options)


ActionBase._execute_module = _dispatching


@handles("action")
def run_action(conversation, body):
    """Runs an action plugin, and returns its result."""
    given, host = body["task"], body["connection"]
    variables = Variables(conversation)
    task = finished_task({name: decode(value) for name, value in given.items()})
    play_context = play_context_for(given, host)
    connection = Connection(conversation, play_context, host["plugin"], host["port"])
    connection._shell.set_options()
    name = body["plugin"] if "." in body["plugin"] else "ansible.legacy." + body["plugin"]
    with task_context(task, variables, host["address"]):
        with LOADING:
            plugin = plugin_loader.action_loader.get(
                name,
                task=task,
                connection=connection,
                play_context=play_context,
                loader=LOADER,
                templar=templar_for(variables),
                shared_loader_obj=plugin_loader,
            )
        if plugin is None:
            raise AnsibleError(f"The action plugin '{body['plugin']}' was not found.")
        with DeferredWarningContext(variables={}) as told:
            result = dict(result_of(plugin, variables))
    return encode(with_notes(result, told))


def play_context_for(given, host):
    """Returns the play context of a task."""
    play_context = PlayContext()
    attributes = {
        "become": host["become"],
        "become_method": host["become_method"],
        "become_user": host["become_user"],
        "check_mode": given["check_mode"],
        "connection": host["plugin"],
        "diff": given["diff"],
        "port": host["port"],
        "remote_addr": host["address"],
        "remote_user": host["remote_user"],
        "verbosity": verbosity(),
    }
    for name, value in attributes.items():
        # Not every version lets each of them be set.
        with contextlib.suppress(AttributeError):
            setattr(play_context, name, value)
    play_context._squashed = play_context._finalized = True
    return play_context


def result_of(plugin, variables):
    """Runs a plugin. Errors become results, as in ansible-core's executor."""
    try:
        return plugin.run(task_vars=variables)
    except AnsibleConnectionFailure as error:
        return {"unreachable": True, "msg": text_of(error)}
    except AnsibleAction as error:
        result = dict(getattr(error, "result", None) or {})
        if isinstance(error, AnsibleActionSkip):
            result.setdefault("skipped", True)
        else:
            result["failed"] = True
        result.setdefault("msg", text_of(error))
        return result
    except Exception as error:  # a plugin's fault fails its task
        if verbosity() >= 3:
            traceback.print_exc()
        return {"failed": True, "msg": "Task failed: " + text_of(error)}
    finally:
        with contextlib.suppress(Exception):
            plugin.cleanup()


def with_notes(result, told):
    """Adds the warnings and deprecations that a plugin reported to its result."""
    warnings = [text_of_summary(warning) for warning in told.get_warnings()]
    if warnings:
        more = [warning for warning in result.get("warnings") or [] if warning not in warnings]
        result["warnings"] = warnings + more
    deprecations = [deprecation_of(deprecation) for deprecation in told.get_deprecation_warnings()]
    if deprecations:
        result["deprecations"] = deprecations + list(result.get("deprecations") or [])
    if result.get("exception") is not None and not isinstance(result["exception"], str):
        result["exception"] = text_of_summary(result["exception"])
    return result
