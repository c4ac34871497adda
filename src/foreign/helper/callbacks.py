"""Callback plugins: they are told every event of the run, in the main thread."""

import os
import sys

from ansible.errors import AnsibleError
from ansible.executor.stats import AggregateStats
from ansible.executor.task_result import CallbackTaskResult
from ansible.inventory.host import Host
from ansible.module_utils._internal import _messages
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.playbook.role import Role
from ansible.playbook.task import Task
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from .core import LOADER, RawTaskResult, constants, plugin_loader
from .errors import text_of
from .requests import handles
from .values import decode

CALLBACKS = []
HOSTS = {}
TASKS = {}


def host_named(name):
    """Returns the host of a name, always the same object."""
    if name not in HOSTS:
        HOSTS[name] = Host(name=name, gen_uuid=False)
    return HOSTS[name]


def task_named(given):
    """Returns the task of an id, always the same object."""
    if given["id"] not in TASKS:
        task = Task()
        task._squashed = task._finalized = True
        attributes = {
            "action": given["action"],
            "args": decode(given["args"]),
            "check_mode": given["check"],
            "connection": constants.DEFAULT_TRANSPORT,
            "name": given["name"],
            "no_log": given["no_log"],
        }
        for name, value in attributes.items():
            setattr(task, name, value)
        task._role = role_of(given["role"])
        task._uuid = given["id"]
        path = f"{given['file']}:{given['line']}"
        task.get_path = lambda: path
        TASKS[given["id"]] = task
    return TASKS[given["id"]]


def role_of(given):
    """Returns the role of a task, with its names and its directory."""
    if given is None:
        return None
    role = Role()
    role._role_name, role._role_path = given["name"], given["path"]
    role._role_collection = given["collection"] or None
    return role


@handles("load callbacks", in_main_thread=True)
def load_callbacks(conversation, body):
    """Loads callback plugins. Only the one that was chosen as the report must be loadable."""
    chosen = [(body["stdout"], True)] if body["stdout"] else []
    for name, is_chosen in chosen + [(name, False) for name in body["more"]]:
        try:
            plugin = plugin_loader.callback_loader.get(name)
            if plugin is None:
                raise AnsibleError(f"Could not load {name!r} callback plugin.")
            if hasattr(plugin, "_init_callback_methods"):
                plugin._init_callback_methods()
            plugin.set_options()
            CALLBACKS.append(plugin)
        except Exception as error:  # the run goes on without it
            if is_chosen:
                raise
            Display().warning(f"Failed to load callback plugin {name!r}: {text_of(error)}")
    sys.stdout.flush()


def dispatch(name, *args, **options):
    """Calls a method of every callback plugin that has it."""
    for plugin in CALLBACKS:
        if getattr(plugin, "disabled", False):
            continue
        implicit = args and getattr(args[0], "implicit", False)
        if implicit and not getattr(plugin, "wants_implicit_tasks", False):
            continue
        implemented = getattr(plugin, "_implemented_callback_methods", None)
        for method in (name, "v2_on_any"):
            missing = implemented is not None and method not in implemented
            if not missing and hasattr(plugin, method):
                call(plugin, name, method, args, options)


def call(plugin, name, method, args, options):
    """Calls a method of a callback plugin. Its errors are warnings."""
    results = (arg for arg in args if isinstance(arg, CallbackTaskResult))
    plugin._current_task_result = next(results, None)
    try:
        getattr(plugin, method)(*args, **options)
    except AssertionError:
        raise
    except Exception as error:  # the run goes on
        plugin_name = getattr(plugin, "_load_name", plugin)
        Display().warning(
            f"Callback dispatch {name!r} failed for plugin {plugin_name!r}: {text_of(error)}"
        )
    plugin._current_task_result = None


def summary(text, kind):
    """Returns a message in ansible-core's own type."""
    return getattr(_messages, kind)(event=_messages.Event(msg=text))


class Result(CallbackTaskResult):
    """The result of a task, for versions since 2.21, whose own type only the executor can make."""

    HIDDEN = (
        "the output has been hidden due to the fact that 'no_log: true' was specified for this "
        "result"
    )
    KEPT = ("attempts", "changed", "retries")

    def __init__(self, host, task, values, fields):
        self._values, self._fields = values, fields
        super().__init__(host, task, None)

    @property
    def task_fields(self):
        """The attributes of the task."""
        return self._fields

    _task_fields = task_fields

    @property
    def exception(self):
        """The error, if the task failed."""
        text = self._values.get("exception")
        return summary(text, "ErrorSummary") if isinstance(text, str) else text

    @property
    def warnings(self):
        """The warnings."""
        return [summary(str(text), "WarningSummary") for text in self._values.get("warnings") or []]

    @property
    def deprecations(self):
        """The deprecation warnings, which the engine prints itself."""
        return []

    @property
    def task_name(self):
        """The name of the task."""
        return str(self._fields["name"] or "") or self.task.get_name()

    def _is(self, key):
        items = self._values.get("results")
        if isinstance(items, list) and key not in self._values:
            return any(isinstance(item, dict) and item.get(key) for item in items)
        return bool(self._values.get(key))

    def is_changed(self):
        """Whether the task changed something."""
        return self._is("changed")

    def is_skipped(self):
        """Whether the task was skipped, with all items of a loop."""
        items = self._values.get("results")
        if isinstance(items, list) and items:
            return all(isinstance(item, dict) and item.get("skipped") for item in items)
        return bool(self._values.get("skipped"))

    def is_failed(self):
        """Whether the task failed."""
        return self._is("failed_when_result") or self._is("failed")

    def is_unreachable(self):
        """Whether the host was unreachable."""
        return self._is("unreachable")

    @property
    def result(self):
        """The values, without what has a method of its own."""
        if self.task.no_log is True or self._values.get("_ansible_no_log"):
            return self._censored(self._values)
        internal = ("_ansible_no_log", "failed", "skipped")
        return {name: value for name, value in self._values.items() if name not in internal}

    def _censored(self, values):
        kept = {name: values[name] for name in self.KEPT if name in values}
        censored = {**kept, "_ansible_no_log": True, "censored": self.HIDDEN}
        items = values.get("results")
        if isinstance(items, list):
            censored["results"] = [self._censored(item) for item in items if isinstance(item, dict)]
        return censored

    @property
    def _result(self):
        return self.result


def result_of(body):
    """Returns the result in an event."""
    values = decode(body["values"])
    values.pop("deprecations", None)
    task, host = task_named(body["task"]), host_named(body["host"])
    fields = {
        "action": task.action,
        "args": task.args,
        "ignore_errors": body["ignored"],
        "name": body["task"]["name"],
    }
    if isinstance(values.get("exception"), str) and body.get("error"):
        values["exception"] = body["error"]
    if RawTaskResult is None:
        return Result(host, task, values, fields)
    if isinstance(values.get("exception"), str):
        values["exception"] = summary(values["exception"], "ErrorSummary")
    if values.get("warnings"):
        values["warnings"] = [summary(str(text), "WarningSummary") for text in values["warnings"]]
    raw = RawTaskResult(host=host, task=task, return_data=values, task_fields=fields)
    return raw.as_callback_task_result()


class VariableManager:
    """The variables of a play, as far as the command line sets them."""

    def get_vars(self, **_context):
        """Returns the variables, and the same as the member `vars`."""
        variables = dict(load_extra_vars(LOADER))
        return {**variables, "vars": variables}


class Playbook:
    """The playbook, with what callback plugins look at."""

    def __init__(self, path):
        self._file_name, self._basedir, self._entries = path, os.path.dirname(path), []
        self._loader = LOADER

    def get_plays(self):
        """Returns the plays: they are announced one by one."""
        return self._entries


class Included:
    """An included file, with what callback plugins look at."""

    def __init__(self, body):
        self._filename = body["file"]
        self._hosts = [host_named(name) for name in body["hosts"]]
        self._vars = {"item": body["item"]} if body["item"] is not None else {}
        self._args, self._task, self._is_role = {}, None, False


class Handler:
    """A handler, with what callback plugins look at."""

    def __init__(self, name):
        self.name = name

    def get_name(self, include_role_fqcn=True):
        """Returns the name."""
        return self.name


def start(body):
    """The run starts."""
    dispatch("v2_playbook_on_start", Playbook(body["playbook"]))


class PlayVariables:
    """Stands for the variable manager of a play. The engine keeps the variables, so that plugins find none here."""

    def get_vars(self, play=None, host=None, task=None, **options):
        """Returns the variables in the form of ansible-core's variable manager."""
        return {"vars": {}}


def play(body):
    """A play starts."""
    play = Play()
    play._loader, play._variable_manager = LOADER, PlayVariables()
    play._squashed = play._finalized = True
    play.name, play.hosts, play.check_mode = body["name"], body["hosts"], body["check"]
    play.get_name = lambda: body["name"]
    path = f"{body['file']}:{body['line']}"
    play.get_path = lambda: path
    play._loader, play._variable_manager = LOADER, VariableManager()
    # Plugins that record the files of a run find their names here.
    LOADER._FILE_CACHE.setdefault(body["file"], None)
    for plugin in CALLBACKS:
        plugin.set_play_context(PlayContext())
    dispatch("v2_playbook_on_play_start", play)


def task(body):
    """A task or handler starts."""
    task = task_named(body["task"])
    if body["task"]["handler"]:
        dispatch("v2_playbook_on_handler_task_start", task)
        return
    task.implicit = body.get("implicit", False)
    dispatch("v2_playbook_on_task_start", task, is_conditional=False)


def item(body):
    """An item of a loop has a result."""
    result = result_of(body)
    status = "failed" if body["status"] == "unreachable" else body["status"]
    show_difference(body, result)
    dispatch("v2_runner_item_on_" + status, result)


def result(body):
    """A task has a result on a host."""
    result = result_of(body)
    show_difference(body, result)
    if body["status"] == "failed":
        # Without the keyword it is none in ansible-core.
        dispatch("v2_runner_on_failed", result, ignore_errors=body["ignored"] or None)
    else:
        dispatch("v2_runner_on_" + body["status"], result)


def show_difference(body, result):
    """Reports the difference in a result."""
    if body["status"] == "ok" and result.result.get("diff"):
        dispatch("v2_on_file_diff", result)


def stats(body):
    """The run ends."""
    stats = AggregateStats()
    for host, counts in body["hosts"].items():
        stats.processed[host] = 1
        for what, count in counts.items():
            if count:
                getattr(stats, what)[host] = count
    stats.custom = {name: decode(value) for name, value in body["custom"].items()}
    dispatch("v2_playbook_on_stats", stats)


def deprecation(body):
    """A deprecation warning is shown."""
    text = "[DEPRECATION WARNING]: " + body["text"]
    Display().display(text, color=constants.COLOR_DEPRECATE, stderr=True)


def verbose(body):
    """A message of `-v` is shown."""
    Display().verbose(body["text"], host=body["host"], caplevel=body["level"] - 1)


EVENTS = {
    "deprecation": deprecation,
    "error": lambda body: Display().error(body["text"], wrap_text=False),
    "host start": lambda body: dispatch(
        "v2_runner_on_start", host_named(body["host"]), task_named(body["task"])
    ),
    "included": lambda body: dispatch("v2_playbook_on_include", Included(body)),
    "item": item,
    "no hosts matched": lambda body: dispatch("v2_playbook_on_no_hosts_matched"),
    "no hosts remaining": lambda body: dispatch("v2_playbook_on_no_hosts_remaining"),
    "notified": lambda body: dispatch(
        "v2_playbook_on_notify", Handler(body["handler"]), host_named(body["host"])
    ),
    "play": play,
    "poll": lambda body: dispatch("v2_runner_on_async_poll", result_of(body)),
    "polled": lambda body: dispatch("v2_runner_on_async_" + body["status"], result_of(body)),
    "result": result,
    "retry": lambda body: dispatch("v2_runner_retry", result_of(body)),
    "start": start,
    "stats": stats,
    "task": task,
    "vars prompt": lambda body: dispatch(
        "v2_playbook_on_vars_prompt", body["name"], body["private"]
    ),
    "verbose": verbose,
    "warning": lambda body: Display().warning(body["text"], formatted=False),
}


@handles("callback", in_main_thread=True)
def event(conversation, body):
    """Tells the callback plugins of an event."""
    handler = EVENTS.get(body["event"])
    if handler is not None:
        handler(body)
    sys.stdout.flush()
    sys.stderr.flush()
