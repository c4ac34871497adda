"""Modules, filters, tests and lookups, and what ansible-core's programs print about plugins."""

import contextlib
import io
import sys
import warnings
from collections.abc import Mapping

from ansible._internal._templating._engine import TemplateOptions
from ansible._internal._templating._utils import TemplateContext
from ansible.errors import AnsibleError, AnsibleUndefinedConfigEntry

from .core import LOADER, LOADING, add_all_plugin_dirs, constants, plugin_loader
from .errors import deepest, text_of
from .requests import handles
from .values import decode, encode
from .variables import Variables, templar_for

# What stands in a payload where the engine puts the arguments.
MARK = {"arguments": "go here"}


@handles("directory")
def add_directory(conversation, path):
    """Adds a directory with plugins: a playbook's or a role's."""
    add_all_plugin_dirs(path)


@handles("payload")
def payload(conversation, body):
    """Builds the payload of a module in Python, without its arguments."""
    from ansible.executor import module_common

    name = body["name"]
    variables = {
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_playbook_python": sys.executable,
    }
    with LOADING:
        built = module_common.modify_module(
            module_name=name if name.count(".") < 2 else name.rsplit(".", 1)[1],
            module_path=body["path"],
            module_args=MARK,
            templar=templar_for(variables),
            task_vars=variables,
            module_compression=constants.config.get_config_value("DEFAULT_MODULE_COMPRESSION"),
        )
    return built.b_module_data.decode("utf-8")


def jinja_plugin(kind, name):
    """Returns a filter or test, or None if there is none. One that cannot be loaded is an error."""
    loader = plugin_loader.filter_loader if kind == "filter" else plugin_loader.test_loader
    try:
        with LOADING:
            return loader.get(name)
    except KeyError:
        return None
    except AnsibleError as error:
        gone = type(error).__name__ in ("AnsiblePluginNotFound", "AnsiblePluginRemovedError")
        if gone and "load" not in str(error):
            return None
        raise


@handles("has")
def has(conversation, body):
    """Tells whether there is a filter, test or lookup of a name."""
    kind, name = body["kind"], body["name"]
    try:
        if kind != "lookup":
            return jinja_plugin(kind, name) is not None
        if not plugin_loader.lookup_loader.find_plugin_with_context(name).resolved:
            return False
        return plugin_loader.lookup_loader.get(name, class_only=True) is not None
    except Exception as error:
        reason = text_of(deepest(error))
        raise AnsibleError(f"The {kind} plugin {name!r} failed to load: {reason}") from None


@handles("jinja")
def call_jinja_plugin(conversation, body):
    """Calls a filter or test."""
    plugin = jinja_plugin(body["kind"], body["name"])
    if plugin is None:
        raise AnsibleError(f"No {body['kind']} named '{body['name']}'.")
    function = plugin.j2_function
    given = [decode(body["input"]), *decode(body["args"])]
    passed = getattr(function, "jinja_pass_arg", None)
    if passed is not None:
        environment = templar_for(Variables(conversation))._engine.environment
        given.insert(0, passed_argument(getattr(passed, "name", ""), environment))
    return encode(function(*given, **decode(body["options"])))


def passed_argument(kind, environment):
    """Returns what a filter wants that asked for its environment or context."""
    if kind not in ("context", "eval_context"):
        return environment
    context = environment.from_string("").new_context({})
    return context if kind == "context" else context.eval_ctx


@handles("markers")
def accepts_markers(conversation, name):
    """Tells whether a lookup accepts undefined values."""
    plugin = plugin_loader.lookup_loader.get(name, class_only=True)
    return bool(getattr(plugin, "accept_args_markers", False))


@handles("lookup")
def lookup(conversation, body):
    """Runs a lookup."""
    variables = Variables(conversation)
    templar = templar_for(variables)
    with LOADING:
        plugin = plugin_loader.lookup_loader.get(body["name"], loader=LOADER, templar=templar)
    if plugin is None:
        raise AnsibleError(f"The lookup plugin '{body['name']}' was not found.")
    options = TemplateOptions.DEFAULT
    with TemplateContext(template_value=None, templar=templar._engine, options=options):
        result = plugin.run(decode(body["terms"]), variables=variables, **decode(body["options"]))
        return [encode(item) for item in listed(result)]


def listed(result):
    """Returns the result of a lookup as a list."""
    if isinstance(result, (list, tuple)):
        return result
    if hasattr(result, "__iter__") and not isinstance(result, (str, bytes, Mapping)):
        return list(result)
    return [result]


@handles("option")
def option(conversation, body):
    """Returns the value of a plugin's option and its origin, or None without such an option."""
    kind, name = body["kind"], body["plugin"]
    loader = getattr(plugin_loader, kind + "_loader", None)
    plugin = loader and loader.get(name, class_only=True)
    if not plugin:
        raise AnsibleError(f'Unable to load {kind} plugin "{name}"')
    try:
        found = constants.config.get_config_value_and_origin(
            body["option"],
            plugin_type=kind,
            plugin_name=plugin._load_name,
            variables=Variables(conversation),
        )
    except AnsibleUndefinedConfigEntry:
        return None
    return encode(found)


@handles("program")
def program(conversation, words):
    """Returns what one of ansible-core's programs prints about plugins."""
    from ansible.cli.config import ConfigCLI
    from ansible.cli.doc import DocCLI

    warnings.simplefilter("ignore")
    chosen = {"ansible-config": ConfigCLI, "ansible-doc": DocCLI}[words[0]]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        chosen(words).run()
    return printed.getvalue()
