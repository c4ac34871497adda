"""Inventory plugins."""

from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData

from .core import LOADER, optional, plugin_loader
from .requests import handles
from .values import decode, encode

# What ansible-core sets itself.
INTERNAL = ("inventory_file", "inventory_dir")


@handles("inventory")
def inventory(conversation, body):
    """Has a plugin read a source, and returns the hosts and groups, or None without a plugin."""
    name, source = body["name"], body["source"]
    data = inventory_of(decode(body["known"]))
    plugin = plugin_loader.inventory_loader.get(name)
    if plugin is None:
        return None
    if not plugin.verify_file(source):
        raise AnsibleError(
            f"inventory source {source!r} could not be verified by inventory plugin {name!r}"
        )
    data.current_source = source
    plugin.parse(wrapped(data, plugin, name, source), LOADER, source, cache=True)
    if hasattr(plugin, "update_cache_if_changed"):
        plugin.update_cache_if_changed()
    return encode({"hosts": hosts_of(data), "groups": groups_of(data)})


def inventory_of(known):
    """Returns ansible-core's inventory of what the sources before have said."""
    data = InventoryData()
    for group in known["groups"]:
        data.add_group(group)
    for host, variables in known["hosts"].items():
        data.add_host(host)
        for name, value in variables.items():
            data.set_variable(host, name, value)
    for group, content in known["groups"].items():
        for host in content["hosts"]:
            data.add_host(host, group)
        for child in content["children"]:
            data.add_child(group, child)
        for name, value in content["vars"].items():
            data.set_variable(group, name, value)
    return data


def wrapped(data, plugin, name, source):
    """Returns the inventory in the form in which plugins get it, which differs between versions."""
    wrapper = optional("ansible.inventory.manager", "_InventoryDataWrapper")
    origin = optional("ansible._internal._datatag._tags", "Origin")
    if wrapper is None or origin is None:
        return data
    description = f"<inventory plugin {name!r} with source {source!r}>"
    return wrapper(data, target_plugin=plugin, origin=origin(description=description))


def hosts_of(data):
    """Returns the variables of all hosts."""
    return {
        name: {key: value for key, value in host.vars.items() if key not in INTERNAL}
        for name, host in data.hosts.items()
    }


def groups_of(data):
    """Returns the members and variables of all groups."""
    return {
        name: {
            "hosts": [host.name for host in group.hosts],
            "children": [child.name for child in group.child_groups],
            "vars": group.vars,
        }
        for name, group in data.groups.items()
    }
