"""ansible-core, set up for a run, and what differs between its versions."""

import importlib
import threading

from ansible import constants, context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugin_loader
from ansible.plugins.loader import add_all_plugin_dirs, init_plugin_loader
from ansible.release import __version__ as version
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.display import Display

VERSION = version

# ansible-core's loaders are not made for threads.
LOADING = threading.RLock()

LOADER = DataLoader()

# The options of `ansible-playbook` that plugins look for, with the values of a run without any.
DEFAULT_ARGUMENTS = {
    "args": (),
    "ask_vault_pass": False,
    "become": False,
    "become_ask_pass": False,
    "become_method": constants.DEFAULT_BECOME_METHOD,
    "become_user": None,
    "check": False,
    "connection": constants.DEFAULT_TRANSPORT,
    "diff": False,
    "extra_vars": (),
    "flush_cache": False,
    "force_handlers": False,
    "forks": constants.DEFAULT_FORKS,
    "inventory": (),
    "listhosts": False,
    "listtags": False,
    "listtasks": False,
    "module_path": None,
    "private_key_file": constants.DEFAULT_PRIVATE_KEY_FILE,
    "remote_user": constants.DEFAULT_REMOTE_USER,
    "skip_tags": (),
    "start_at_task": None,
    "step": False,
    "subset": None,
    "syntax": False,
    "tags": ("all",),
    "timeout": constants.DEFAULT_TIMEOUT,
    "vault_ids": (),
    "vault_password_files": (),
    "verbosity": 0,
}


def set_up(configuration):
    """Prepares ansible-core for a run with this configuration."""
    given = {name: value for name, value in configuration["arguments"].items() if value is not None}
    given = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    verbosity = configuration["verbosity"]
    context.CLIARGS = ImmutableDict({**DEFAULT_ARGUMENTS, **given, "verbosity": verbosity})
    Display().verbosity = verbosity
    init_plugin_loader(configuration["collections"])
    for path in configuration["playbooks"]:
        add_playbook(path)
    for path in configuration["directories"]:
        add_all_plugin_dirs(path)


def add_playbook(path):
    """Adds the directory of a playbook, which may have collections beside it."""
    known = [str(known) for known in AnsibleCollectionConfig.playbook_paths]
    if path not in known:
        AnsibleCollectionConfig.playbook_paths = [*known, path]


def verbosity():
    """Returns how much is shown."""
    return context.CLIARGS["verbosity"]


def optional(module, name):
    """Returns a member of a module that not every version has, or None."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


# Since 2.21: the running task, which connections and actions look for. Before, a class of this
# name has another purpose.
TaskContext = optional("ansible._internal._task", "TaskContext")
if not hasattr(TaskContext, "create"):
    TaskContext = None
# Until 2.20: a result as the executor makes it.
RawTaskResult = optional("ansible.executor.task_result", "_RawTaskResult")

__all__ = [
    "LOADER",
    "LOADING",
    "VERSION",
    "RawTaskResult",
    "TaskContext",
    "add_all_plugin_dirs",
    "constants",
    "plugin_loader",
]
