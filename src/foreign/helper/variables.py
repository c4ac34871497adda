"""The variables of hosts, which are asked for when a plugin first looks at one."""

from collections import ChainMap
from collections.abc import Mapping

from ansible.template import Templar

from .core import LOADER
from .values import decode


class Variables(dict):
    """The variables of a host. Plugins want a real dict, so every method of one loads it first."""

    def __init__(self, conversation, host=None):
        super().__init__()
        self._conversation, self._host, self._loaded = conversation, host, False

    def _load(self):
        if not self._loaded:
            self._loaded = True
            for name, value in decode(
                self._conversation.ask("variables", self._host) or {}
            ).items():
                dict.setdefault(self, name, value)
            if self._host is None and not dict.__contains__(self, "hostvars"):
                hosts = HostVariables(self._conversation, self._hosts())
                dict.__setitem__(self, "hostvars", hosts)
        return self

    def _hosts(self):
        groups = dict.get(self, "groups")
        return list(groups.get("all", [])) if isinstance(groups, dict) else []

    def __getitem__(self, key):
        return dict.__getitem__(self._load(), key)

    def __contains__(self, key):
        return dict.__contains__(self._load(), key)

    def __iter__(self):
        return dict.__iter__(self._load())

    def __len__(self):
        return dict.__len__(self._load())

    def __eq__(self, other):
        return dict.__eq__(self._load(), other)

    __hash__ = None

    def __bool__(self):
        return True

    def get(self, key, default=None):
        return dict.get(self._load(), key, default)

    def keys(self):
        return dict.keys(self._load())

    def values(self):
        return dict.values(self._load())

    def items(self):
        return dict.items(self._load())

    def copy(self):
        return dict(dict.items(self._load()))

    __copy__ = copy

    def pop(self, *args):
        return dict.pop(self._load(), *args)

    def setdefault(self, *args):
        return dict.setdefault(self._load(), *args)


class HostVariables(Mapping):
    """`hostvars`: the variables of every host, each asked for at its first use."""

    def __init__(self, conversation, hosts):
        self._conversation, self._hosts, self._known = conversation, hosts, {}

    def __getitem__(self, host):
        if host not in self._known:
            if host not in self._hosts and host != "localhost":
                raise KeyError(host)
            self._known[host] = Variables(self._conversation, str(host)).copy()
        return self._known[host]

    def __iter__(self):
        return iter(self._hosts)

    def __len__(self):
        return len(self._hosts)

    def __contains__(self, host):
        return host in self._hosts

    def raw_get(self, host):
        """Returns the variables of a host, as ansible-core's class of this name does."""
        return self[host]


class _Layers(list):
    """The one layer of a ChainMap, made at the first use: only plain dicts are accepted there."""

    def __init__(self, variables):
        super().__init__()
        self._variables = variables

    def _load(self):
        if not list.__len__(self):
            list.append(self, self._variables.copy())
        return self

    def __iter__(self):
        return list.__iter__(self._load())

    def __getitem__(self, index):
        return list.__getitem__(self._load(), index)

    def __len__(self):
        return list.__len__(self._load())


def templar_for(variables):
    """Returns a templar that asks for the variables only if a template needs one."""
    if isinstance(variables, Variables):
        lazy = ChainMap()
        lazy.maps = _Layers(variables)
        variables = lazy
    return Templar(loader=LOADER, variables=variables)
