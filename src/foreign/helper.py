"""The Python side of playbook: loads plugins with ansible-core, and has it build the payloads of modules.

Speaks frames of JSON over the socket that is its standard input; each is a length of four bytes and a body.
"""
import json, os, socket, struct, sys, threading, traceback

link = socket.socket(fileno=os.dup(0))
_null = os.open(os.devnull, os.O_RDONLY)
os.dup2(_null, 0)
os.close(_null)
sending = threading.Lock()
# ansible-core's loaders are not made for threads.
loading = threading.RLock()


def send(frame):
    body = json.dumps(frame).encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    with sending:
        link.sendall(struct.pack(">I", len(body)) + body)


def receive_bytes(count):
    parts = []
    while count:
        part = link.recv(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def receive():
    head = receive_bytes(4)
    if head is None:
        return None
    body = receive_bytes(struct.unpack(">I", head)[0])
    return None if body is None else json.loads(body)


configuration = receive()
if configuration is None:
    sys.exit(0)
sys.argv = ["playbook"]
try:
    # The folders that flags named count as configured ones do.
    os.environ["ANSIBLE_LIBRARY"] = os.pathsep.join(configuration["library"])
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(configuration["collections"])
    import ansible
    from ansible.release import __version__ as ansible_version
    from ansible import constants as C
    from ansible import context
    from ansible.module_utils.common.collections import ImmutableDict
    context.CLIARGS = ImmutableDict(verbosity=configuration["verbosity"], become_ask_pass=False)
    from ansible.utils.display import Display
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins import loader as plugin_loader
    from ansible.plugins.loader import add_all_plugin_dirs, init_plugin_loader
    from ansible.template import Templar
    from ansible._internal._datatag._tags import TrustedAsTemplate
    from ansible.errors import (
        AnsibleConnectionFailure,
        AnsibleError,
        AnsibleUndefinedConfigEntry,
        AnsibleUndefinedVariable,
    )
    from ansible.utils.collection_loader._collection_finder import _get_collection_playbook_path  # noqa: F401

    Display().verbosity = configuration["verbosity"]
    init_plugin_loader(configuration["collections"])
    from ansible.utils.collection_loader import AnsibleCollectionConfig
except Exception as error:
    send({"error": "%s" % (error if not isinstance(error, ModuleNotFoundError) else "it has no ansible-core 2.19 (%s)" % error)})
    sys.exit(0)

loader = DataLoader()


# --- values -------------------------------------------------------------------------------------------------------

import base64, datetime, math
from collections import ChainMap
from collections.abc import Mapping, Set
from ansible._internal._templating._engine import TemplateOptions
from ansible._internal._templating._jinja_common import Marker, UndefinedMarker
from ansible._internal._templating._utils import TemplateContext
try:
    from ansible._internal._templating._jinja_common import CapturedExceptionMarker
except ImportError:
    CapturedExceptionMarker = None


def encode(value):
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Marker):
        return {"$": "undefined", "v": undefined_text(value)}
    if isinstance(value, str):
        if TrustedAsTemplate.is_tagged_on(value):
            return {"$": "trusted", "v": str.__str__(value)}
        return str.__str__(value)
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        number = int(value)
        return number if -(1 << 63) <= number < 1 << 63 else {"$": "int", "v": "%d" % number}
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else {"$": "float", "v": {"nan": "NaN"}.get(str(number), str(number))}
    if isinstance(value, (bytes, bytearray)):
        return {"$": "bytes", "v": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, Mapping):
        pairs = [(k, value[k]) for k in value]
        if all(isinstance(k, str) and k != "$" for k, _ in pairs):
            return {str.__str__(k): encode(v) for k, v in pairs}
        return {"$": "map", "v": [[encode(k), encode(v)] for k, v in pairs]}
    if isinstance(value, tuple):
        return {"$": "tuple", "v": [encode(v) for v in value]}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat() if not isinstance(value, datetime.datetime) else str(value)
    if isinstance(value, (list, Set)) or hasattr(value, "__iter__"):
        return [encode(v) for v in value]
    return str(value)


def undefined_text(marker):
    return getattr(marker, "_undefined_message", None) or str(getattr(marker, "_undefined_hint", None) or "undefined")


def decode(value, tag=None):
    if isinstance(value, list):
        return [decode(v, tag) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$")
    if kind is None:
        return {k: decode(v, tag) for k, v in value.items()}
    inner = value.get("v")
    if kind == "trusted":
        return TrustedAsTemplate().tag(inner)
    if kind == "tuple":
        return tuple(decode(v, tag) for v in inner)
    if kind == "int":
        return int(inner)
    if kind == "float":
        return float(inner)
    if kind == "bytes":
        return base64.b64decode(inner)
    if kind == "map":
        return {decode(k): decode(v, tag) for k, v in inner}
    if kind == "undefined":
        return UndefinedMarker(hint=inner)
    return None


# --- conversations ------------------------------------------------------------------------------------------------

class Conversation:
    """A request that is being answered; it may ask back."""

    def __init__(self, number):
        self.number = number
        self.answers = []
        self.arrived = threading.Condition()

    def ask(self, what, body=None):
        send({"id": self.number, "ask": what, "body": body})
        with self.arrived:
            while not self.answers:
                self.arrived.wait()
            answer = self.answers.pop(0)
        if "fault" in answer:
            raise AnsibleError(answer["fault"])
        return answer.get("answer")

    def put(self, frame):
        with self.arrived:
            self.answers.append(frame)
            self.arrived.notify()


conversations = {}
current = threading.local()


class Variables(dict):
    """The variables of a host, asked for when somebody first looks."""

    def __init__(self, conversation, host=None):
        super().__init__()
        self._conversation, self._host, self._loaded = conversation, host, False

    def _load(self):
        if not self._loaded:
            self._loaded = True
            for name, value in decode(self._conversation.ask("variables", self._host) or {}).items():
                dict.setdefault(self, name, value)
            if self._host is None and not dict.__contains__(self, "hostvars"):
                dict.__setitem__(self, "hostvars", HostVariables(self._conversation, list(self._groups().get("all", []))))
        return self

    def _groups(self):
        groups = dict.get(self, "groups")
        return groups if isinstance(groups, dict) else {}

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
        return self[host]


class Layers(list):
    """The one layer of a ChainMap, made when a template is rendered: only plain dicts are taken there."""

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
    if isinstance(variables, Variables):
        lazy = ChainMap()
        lazy.maps = Layers(variables)
        variables = lazy
    return Templar(loader=loader, variables=variables)


# --- what can be asked --------------------------------------------------------------------------------------------

handlers = {}


def handles(name):
    def add(function):
        handlers[name] = function
        return function
    return add


def add_folder(path):
    add_all_plugin_dirs(path)


def add_playbook(path):
    known = [str(p) for p in AnsibleCollectionConfig.playbook_paths]
    if path not in known:
        AnsibleCollectionConfig.playbook_paths = known + [path]


@handles("folder")
def _folder(conversation, path):
    add_folder(path)


@handles("core module")
def _core_module(conversation, name):
    """A module of ansible-core, or one that has moved from there into a collection that is installed."""
    try:
        with loading:
            found = plugin_loader.module_loader.find_plugin_with_context("ansible.builtin." + name)
    except Exception:
        return None
    if not found.resolved or not os.path.isfile(found.plugin_resolved_path):
        return None
    return {"path": os.path.realpath(found.plugin_resolved_path), "name": found.resolved_fqcn}


@handles("roots")
def _roots(conversation, body):
    roots = [os.path.join(path or ".", "ansible_collections") for path in sys.path]
    return [os.path.abspath(root) for root in roots if os.path.isdir(root)]


@handles("payload")
def _payload(conversation, body):
    from ansible.executor import module_common
    path, name = body["path"], body["name"]
    variables = {"ansible_python_interpreter": "/usr/bin/python3", "ansible_playbook_python": sys.executable}
    mark = {"arguments": "go here"}
    with loading:
        built = module_common.modify_module(
            module_name=name if name.count(".") < 2 else name.rsplit(".", 1)[1], module_path=path, module_args=mark,
            templar=templar_for(variables), task_vars=variables, module_compression=C.config.get_config_value("DEFAULT_MODULE_COMPRESSION"),
        )
    return built.b_module_data.decode("utf-8")


def jinja_plugin(kind, name):
    """A filter or test; none where there is none, an error where it cannot be loaded."""
    plugins = plugin_loader.filter_loader if kind == "filter" else plugin_loader.test_loader
    try:
        with loading:
            return plugins.get(name)
    except KeyError:
        return None
    except AnsibleError as error:
        if type(error).__name__ in ("AnsiblePluginNotFound", "AnsiblePluginRemovedError") and "load" not in str(error):
            return None
        raise


@handles("has")
def _has(conversation, body):
    kind, name = body["kind"], body["name"]
    try:
        if kind != "lookup":
            return jinja_plugin(kind, name) is not None
        if not plugin_loader.lookup_loader.find_plugin_with_context(name).resolved:
            return False
        return plugin_loader.lookup_loader.get(name, class_only=True) is not None
    except Exception as error:
        raise AnsibleError("The %s plugin %r failed to load: %s" % (kind, name, text_of(deepest(error))))


def deepest(error):
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@handles("jinja")
def _jinja(conversation, body):
    from ansible._internal._templating._engine import TemplateEngine  # noqa: F401
    plugin = jinja_plugin(body["kind"], body["name"])
    if plugin is None:
        raise AnsibleError("No %s named '%s'." % (body["kind"], body["name"]))
    function = plugin.j2_function
    args, options = decode(body["args"]), decode(body["options"])
    first = decode(body["input"])
    passed = getattr(function, "jinja_pass_arg", None)
    if passed is not None:
        templar = templar_for(Variables(conversation))
        engine = templar._engine
        environment = engine.environment
        kind = getattr(passed, "name", "")
        context_ = environment.from_string("").new_context({}) if kind == "context" else environment.from_string("").new_context({}).eval_ctx if kind == "eval_context" else environment
        return encode(function(context_, first, *args, **options))
    return encode(function(first, *args, **options))


@handles("markers")
def _markers(conversation, name):
    plugin = plugin_loader.lookup_loader.get(name, class_only=True)
    return bool(getattr(plugin, "accept_args_markers", False))


@handles("lookup")
def _lookup(conversation, body):
    variables = Variables(conversation)
    templar = templar_for(variables)
    with loading:
        plugin = plugin_loader.lookup_loader.get(body["name"], loader=loader, templar=templar)
    if plugin is None:
        raise AnsibleError("The lookup plugin '%s' was not found." % body["name"])
    with TemplateContext(template_value=None, templar=templar._engine, options=TemplateOptions.DEFAULT):
        terms, options = decode(body["terms"]), decode(body["options"])
        result = plugin.run(terms, variables=variables, **options)
        return listed(result)


def listed(result):
    if not isinstance(result, (list, tuple)):
        if hasattr(result, "__iter__") and not isinstance(result, (str, bytes, Mapping)):
            result = list(result)
        else:
            result = [result]
    return [encode(item) for item in result]


@handles("option")
def _option(conversation, body):
    """What a plugin's option is set to, and by what; none where it has no such option."""
    kind, name = body["kind"], body["plugin"]
    plugins = getattr(plugin_loader, kind + "_loader", None)
    plugin = plugins and plugins.get(name, class_only=True)
    if not plugin:
        raise AnsibleError('Unable to load %s plugin "%s"' % (kind, name))
    variables = Variables(conversation)
    try:
        return encode(C.config.get_config_value_and_origin(
            body["option"], plugin_type=kind, plugin_name=plugin._load_name, variables=variables))
    except AnsibleUndefinedConfigEntry:
        return None


# --- actions ------------------------------------------------------------------------------------------------------

def prepare_actions():
    """Makes what action plugins do to the host go through the engine; done once."""
    if "Connection" in globals():
        return
    global Connection, Task, PlayContext, DeferredWarningContext
    from ansible.plugins.action import ActionBase
    from ansible.plugins.connection import ConnectionBase
    from ansible.playbook.play_context import PlayContext
    from ansible.playbook.task import Task
    from ansible._internal._display_utils import DeferredWarningContext

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
            pass

        def reset(self):
            pass

        def get_option(self, option, hostvars=None):
            known = {"remote_user": self._play_context.remote_user, "host": self._play_context.remote_addr,
                     "port": self.port, "pipelining": True}
            if option in known:
                return known[option]
            raise KeyError(option)

        def exec_command(self, cmd, in_data=None, sudoable=True):
            body = {"command": cmd if isinstance(cmd, str) else cmd.decode()}
            if in_data is not None:
                body["stdin"] = base64.b64encode(in_data if isinstance(in_data, bytes) else in_data.encode()).decode()
            done = self._conversation.ask("execute", body)
            return done["rc"], base64.b64decode(done["stdout"]), base64.b64decode(done["stderr"])

        def put_file(self, in_path, out_path):
            with open(in_path, "rb") as source:
                content = source.read()
            rc, _, err = self.exec_command("cat > %s" % self._shell.quote(out_path), in_data=content)
            if rc:
                raise AnsibleError("failed to transfer file to %s: %s" % (out_path, err.decode("utf-8", "replace")))

        def fetch_file(self, in_path, out_path):
            rc, out, err = self.exec_command("base64 < %s" % self._shell.quote(in_path))
            if rc:
                raise AnsibleError("failed to fetch file %s: %s" % (in_path, err.decode("utf-8", "replace")))
            with open(out_path, "wb") as target:
                target.write(base64.b64decode(out))

    def execute_module(self, module_name=None, module_args=None, tmp=None, task_vars=None, persist_files=False,
                       delete_remote_tmp=None, wrap_async=False, ignore_unknown_opts=False):
        args = self._task.args if module_args is None else module_args
        body = {"name": module_name or self._task.action, "args": encode({k: v for k, v in args.items()}),
                "check_mode": bool(self._task.check_mode), "diff": bool(self._task.diff)}
        result = decode(self._connection._conversation.ask("module", body))
        for name in ("stdout", "stderr"):
            if name in result and name + "_lines" not in result:
                result[name + "_lines"] = (result[name] or "").splitlines()
        result["_ansible_parsed"] = True
        return result

    ActionBase._execute_module = execute_module


@handles("action")
def _action(conversation, body):
    prepare_actions()
    from ansible.errors import AnsibleAction, AnsibleActionSkip, AnsibleConnectionFailure
    variables = Variables(conversation)
    given, host = body["task"], body["connection"]
    task = Task()
    for name, value in given.items():
        setattr(task, name, decode(value))
    task._squashed = task._finalized = True
    play_context = PlayContext()
    for name, value in dict(
        become=host["become"], become_user=host["become_user"], become_method=host["become_method"],
        remote_user=host["remote_user"], remote_addr=host["address"], port=host["port"],
        check_mode=given["check_mode"], diff=given["diff"], verbosity=configuration["verbosity"],
        connection=host["plugin"],
    ).items():
        try:
            setattr(play_context, name, value)
        except AttributeError:
            pass
    play_context._squashed = play_context._finalized = True
    connection = Connection(conversation, play_context, host["plugin"], host["port"])
    connection._shell.set_options()
    templar = templar_for(variables)
    name = body["plugin"] if "." in body["plugin"] else "ansible.legacy." + body["plugin"]
    with loading:
        plugin = plugin_loader.action_loader.get(
            name, task=task, connection=connection, play_context=play_context, loader=loader, templar=templar,
            shared_loader_obj=plugin_loader)
    if plugin is None:
        raise AnsibleError("The action plugin '%s' was not found." % body["plugin"])
    with DeferredWarningContext(variables={}) as told:
        try:
            result = plugin.run(task_vars=variables)
        except AnsibleConnectionFailure as error:
            result = {"unreachable": True, "msg": text_of(error)}
        except AnsibleAction as error:
            result = dict(getattr(error, "result", None) or {})
            if isinstance(error, AnsibleActionSkip):
                result.setdefault("skipped", True)
            else:
                result["failed"] = True
            result.setdefault("msg", text_of(error))
        except Exception as error:
            result = {"failed": True, "msg": "Task failed: " + text_of(error)}
            if configuration["verbosity"] >= 3:
                traceback.print_exc()
        finally:
            try:
                plugin.cleanup()
            except Exception:
                pass
    result = dict(result)
    warnings = [text_of_event(w) for w in told.get_warnings()]
    if warnings:
        result["warnings"] = warnings + [w for w in result.get("warnings") or [] if w not in warnings]
    deprecations = [deprecation_of(d) for d in told.get_deprecation_warnings()]
    if deprecations:
        result["deprecations"] = deprecations + list(result.get("deprecations") or [])
    if result.get("exception") is not None and not isinstance(result["exception"], str):
        result["exception"] = text_of_event(result["exception"])
    return encode(result)


def text_of_event(summary):
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
    if isinstance(summary, (str, dict)):
        return summary
    told = {"msg": text_of_event(summary)}
    for name in ("version", "date"):
        if getattr(summary, name, None) is not None:
            told[name] = str(getattr(summary, name))
    name = getattr(getattr(summary, "deprecator", None), "resolved_name", None)
    if name:
        told["collection_name"] = ".".join(name.split(".")[:2])
    return told


# --- connections --------------------------------------------------------------------------------------------------

connections = {}


@handles("open connection")
def _open_connection(conversation, body):
    """Makes a connection as ansible-core's executor does for a task, with the options that variables give it."""
    from ansible.executor.task_executor import TaskExecutor
    from ansible.inventory.host import Host
    from ansible.playbook.play_context import PlayContext
    from ansible.playbook.task import Task
    variables = Variables(conversation).copy()
    task = Task()
    for name, value in body["task"].items():
        if value is not None:
            setattr(task, name, value)
    task._squashed = task._finalized = True
    play_context = PlayContext(passwords={"conn_pass": body["password"], "become_pass": body["become_password"]})
    executor = TaskExecutor(Host(name=body["host"], gen_uuid=False), task, variables, play_context, loader, plugin_loader, None, None)
    templar = executor._task_templar
    play_context = play_context.set_task_and_variable_override(task=task, variables=variables, templar=templar)
    play_context.post_validate(templar=templar)
    play_context.timeout = body["timeout"]
    if not play_context.remote_addr:
        play_context.remote_addr = body["host"]
    executor._play_context = play_context
    with loading, TemplateContext(template_value=None, templar=templar, options=TemplateOptions.DEFAULT):
        connection = executor._get_connection(cvars=variables, templar=templar, current_connection=body["plugin"])
        executor._connection = connection
        executor._set_connection_options(variables, templar)
    with loading:
        action = plugin_loader.action_loader.get(
            "ansible.legacy.normal", task=task, connection=connection, play_context=play_context, loader=loader,
            templar=Templar._from_template_engine(templar), shared_loader_obj=plugin_loader)
    connections[conversation.number] = action
    return conversation.number


@handles("connection command")
def _connection_command(conversation, body):
    action = connections[body["id"]]
    command, given = body["command"], base64.b64decode(body["input"])
    connection = action._connection
    held, become = None, body["become"]
    if given and not connection.has_pipelining:
        # It takes no input: a file of the one who logs in does, opened before the command becomes somebody else's.
        held = "/tmp/playbook-input-%s" % os.urandom(12).hex()
        put(action, given, held)
        if become and connection.become:
            command, become = connection.become.build_become_command(command, connection._shell), False
        else:
            command = "{ %s; }" % command
        command, given = "%s < %s" % (command, held), b""
    try:
        done = action._low_level_execute_command(command, sudoable=become, in_data=given or None)
    finally:
        if held:
            action._low_level_execute_command("rm -f %s" % held, sudoable=False)
    return {"rc": done["rc"], "stdout": coded(done["stdout"]), "stderr": coded(done["stderr"])}


@handles("connection file")
def _connection_file(conversation, body):
    put(connections[body["id"]], base64.b64decode(body["content"]), body["path"])


@handles("close connection")
def _close_connection(conversation, number):
    action = connections.pop(number, None)
    if action is not None:
        action._connection.close()


def put(action, content, path):
    import tempfile
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        action._connection.put_file(file.name, path)


def coded(text):
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()


# --- inventory ----------------------------------------------------------------------------------------------------

@handles("inventory")
def _inventory(conversation, body):
    from ansible.inventory.data import InventoryData
    data = InventoryData()
    known = decode(body["known"])
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
    name, source = body["name"], body["source"]
    plugin = plugin_loader.inventory_loader.get(name)
    if plugin is None:
        return None
    if not plugin.verify_file(source):
        raise AnsibleError("inventory source %r could not be verified by inventory plugin %r" % (source, name))
    data.current_source = source
    try:
        from ansible.inventory.manager import _InventoryDataWrapper
        from ansible._internal._datatag._tags import Origin
        target = _InventoryDataWrapper(data, target_plugin=plugin, origin=Origin(description="<inventory plugin %r with source %r>" % (name, source)))
    except ImportError:
        target = data
    plugin.parse(target, loader, source, cache=True)
    if hasattr(plugin, "update_cache_if_changed"):
        plugin.update_cache_if_changed()
    own = ("inventory_file", "inventory_dir")
    return encode({
        "hosts": {name: {k: v for k, v in host.vars.items() if k not in own} for name, host in data.hosts.items()},
        "groups": {name: {
            "hosts": [host.name for host in group.hosts], "children": [child.name for child in group.child_groups],
            "vars": group.vars,
        } for name, group in data.groups.items()},
    })


# --- callbacks ----------------------------------------------------------------------------------------------------

callbacks = []
tasks = {}
hosts = {}
plays = {}


def host_named(name):
    from ansible.inventory.host import Host
    if name not in hosts:
        hosts[name] = Host(name=name, gen_uuid=False)
    return hosts[name]


def task_named(given):
    if given["id"] not in tasks:
        from ansible.playbook.task import Task
        task = Task()
        task._squashed = task._finalized = True
        for name, value in dict(
            name=given["name"], action=given["action"], args=decode(given["args"]), check_mode=given["check"],
            no_log=given["no_log"], connection=C.DEFAULT_TRANSPORT,
        ).items():
            setattr(task, name, value)
        task._uuid = given["id"]
        path = "%s:%s" % (given["file"], given["line"])
        task.get_path = lambda: path
        tasks[given["id"]] = task
    return tasks[given["id"]]


@handles("load callbacks")
def _load_callbacks(conversation, body):
    loaders = plugin_loader.callback_loader
    names = ([(body["stdout"], True)] if body["stdout"] else []) + [(name, False) for name in body["more"]]
    for name, chosen in names:
        try:
            plugin = loaders.get(name)
            if plugin is None:
                raise AnsibleError("Could not load %r callback plugin." % name)
            if hasattr(plugin, "_init_callback_methods"):
                plugin._init_callback_methods()
            plugin.set_options()
            callbacks.append(plugin)
        except Exception as error:
            if chosen:
                raise
            Display().warning("Failed to load callback plugin %r: %s" % (name, text_of(error)))
    sys.stdout.flush()


def dispatch(name, *args, **options):
    for plugin in callbacks:
        if getattr(plugin, "disabled", False):
            continue
        if args and getattr(args[0], "implicit", False) and not getattr(plugin, "wants_implicit_tasks", False):
            continue
        implemented = getattr(plugin, "_implemented_callback_methods", None)
        for method in (name, "v2_on_any"):
            if implemented is not None and method not in implemented or not hasattr(plugin, method):
                continue
            result = next((arg for arg in args if type(arg).__name__ == "CallbackTaskResult"), None)
            plugin._current_task_result = result
            try:
                getattr(plugin, method)(*args, **options)
            except AssertionError:
                raise
            except Exception as error:
                Display().warning("Callback dispatch %r failed for plugin %r: %s" % (
                    name, getattr(plugin, "_load_name", plugin), text_of(error)))
            plugin._current_task_result = None


def summary_of(text, kind):
    from ansible.module_utils._internal import _messages
    return getattr(_messages, kind)(event=_messages.Event(msg=text))


def result_of(body):
    from ansible.executor.task_result import _RawTaskResult
    values = decode(body["values"])
    if isinstance(values.get("exception"), str):
        values["exception"] = summary_of(body.get("error") or values["exception"], "ErrorSummary")
    if values.get("warnings"):
        values["warnings"] = [summary_of(str(w), "WarningSummary") for w in values["warnings"]]
    values.pop("deprecations", None)
    task = task_named(body["task"])
    fields = {"name": body["task"]["name"], "action": task.action, "args": task.args, "ignore_errors": body["ignored"]}
    return _RawTaskResult(host=host_named(body["host"]), task=task, return_data=values, task_fields=fields).as_callback_task_result()


class Book:
    """The playbook, as far as callback plugins look at it."""

    def __init__(self, path):
        self._file_name, self._basedir, self._entries = path, os.path.dirname(path), []
        self._loader = loader

    def get_plays(self):
        return self._entries


class Included:
    def __init__(self, body):
        self._filename, self._hosts = body["file"], [host_named(h) for h in body["hosts"]]
        self._vars = {"item": body["item"]} if body["item"] is not None else {}
        self._args, self._task, self._is_role = {}, None, False


@handles("callback")
def _callback(conversation, body):
    event = body["event"]
    if event == "start":
        dispatch("v2_playbook_on_start", Book(body["playbook"]))
    elif event == "play":
        from ansible.playbook.play import Play
        play = Play()
        play._squashed = play._finalized = True
        play.name, play.hosts, play.check_mode = body["name"], body["hosts"], body["check"]
        play.get_name = lambda: body["name"]
        path = "%s:%s" % (body["file"], body["line"])
        play.get_path = lambda: path
        from ansible.playbook.play_context import PlayContext
        for plugin in callbacks:
            plugin.set_play_context(PlayContext())
        dispatch("v2_playbook_on_play_start", play)
    elif event == "no hosts matched":
        dispatch("v2_playbook_on_no_hosts_matched")
    elif event == "no hosts remaining":
        dispatch("v2_playbook_on_no_hosts_remaining")
    elif event == "task":
        if body["task"]["handler"]:
            dispatch("v2_playbook_on_handler_task_start", task_named(body["task"]))
        else:
            task = task_named(body["task"])
            task.implicit = body.get("implicit", False)
            dispatch("v2_playbook_on_task_start", task, is_conditional=False)
    elif event == "host start":
        dispatch("v2_runner_on_start", host_named(body["host"]), task_named(body["task"]))
    elif event in ("item", "result"):
        result = result_of(body)
        name = ("v2_runner_item_on_" if event == "item" else "v2_runner_on_") + body["status"]
        if body["status"] == "unreachable" and event == "item":
            name = "v2_runner_item_on_failed"
        if body["status"] == "ok" and result.result.get("diff"):
            dispatch("v2_on_file_diff", result)
        if name == "v2_runner_on_failed":
            dispatch(name, result, ignore_errors=body["ignored"])
        else:
            dispatch(name, result)
    elif event == "retry":
        result = result_of(body)
        dispatch("v2_runner_retry", result)
    elif event == "poll":
        dispatch("v2_runner_on_async_poll", result_of(body))
    elif event == "polled":
        dispatch("v2_runner_on_async_" + body["status"], result_of(body))
    elif event == "vars prompt":
        dispatch("v2_playbook_on_vars_prompt", body["name"], body["private"])
    elif event == "included":
        dispatch("v2_playbook_on_include", Included(body))
    elif event == "notified":
        class Handler:
            def get_name(self, include_role_fqcn=True):
                return body["handler"]
            name = body["handler"]
        dispatch("v2_playbook_on_notify", Handler(), host_named(body["host"]))
    elif event == "stats":
        from ansible.executor.stats import AggregateStats
        stats = AggregateStats()
        for host, counts in body["hosts"].items():
            stats.processed[host] = 1
            for what, count in counts.items():
                if count:
                    getattr(stats, what)[host] = count
        stats.custom = {name: decode(value) for name, value in body["custom"].items()}
        dispatch("v2_playbook_on_stats", stats)
    elif event == "warning":
        Display().warning(body["text"], formatted=False)
    elif event == "deprecation":
        Display().display("[DEPRECATION WARNING]: " + body["text"], color=C.COLOR_DEPRECATE, stderr=True)
    elif event == "error":
        Display().error(body["text"], wrap_text=False)
    elif event == "verbose":
        Display().verbose(body["text"], host=body["host"], caplevel=body["level"] - 1)
    sys.stdout.flush()
    sys.stderr.flush()


# --- documentation ------------------------------------------------------------------------------------------------

@handles("program")
def _program(conversation, words):
    """What one of ansible-core's programs prints about plugins in Python."""
    import contextlib
    import io
    from ansible.cli.config import ConfigCLI
    from ansible.cli.doc import DocCLI
    printed = io.StringIO()
    import warnings
    warnings.simplefilter("ignore")
    program = {"ansible-config": ConfigCLI, "ansible-doc": DocCLI}[words[0]]
    with contextlib.redirect_stdout(printed):
        program(words).run()
    return printed.getvalue()


# --- errors -------------------------------------------------------------------------------------------------------

def text_of(error):
    """The error and its causes, each once."""
    parts = []
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        text = getattr(error, "_original_message", None) or getattr(error, "message", None) or str(error)
        text = str(text).strip()
        if not text:
            text = type(error).__name__
        if not any(text in part for part in parts):
            parts.append(text)
        error = error.__cause__
    return ": ".join(part.rstrip(".") if i + 1 < len(parts) else part for i, part in enumerate(parts))


def answer(conversation, frame):
    try:
        done = handlers[frame["ask"]](conversation, frame.get("body"))
        reply = {"id": conversation.number, "answer": done}
    except BaseException as error:  # noqa: B902
        reply = {"id": conversation.number, "fault": text_of(error), "help": getattr(error, "_help_text", None),
                 "undefined": isinstance(error, AnsibleUndefinedVariable), "kind": type(error).__name__,
                 "unreachable": isinstance(error, AnsibleConnectionFailure)}
        if configuration["verbosity"] >= 3:
            traceback.print_exc()
    finally:
        conversations.pop(conversation.number, None)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        send(reply)
    except (TypeError, ValueError) as error:
        send({"id": conversation.number, "fault": "the answer cannot be sent: %s" % error})


def main():
    for path in configuration["playbooks"]:
        add_playbook(path)
    for path in configuration["folders"]:
        add_folder(path)
    send({"executable": sys.executable, "version": ansible_version})
    while True:
        frame = receive()
        if frame is None:
            break
        number = frame["id"]
        if "ask" in frame:
            conversation = conversations[number] = Conversation(number)
            threading.Thread(target=answer, args=(conversation, frame), daemon=True).start()
        elif number in conversations:
            conversations[number].put(frame)
    sys.stdout.flush()
    os._exit(0)


main()
