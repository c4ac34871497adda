"""Connection plugins: each connection runs one command at a time."""

import base64
import os
import tempfile

from ansible._internal._templating._engine import TemplateOptions
from ansible._internal._templating._utils import TemplateContext
from ansible.executor.task_executor import TaskExecutor
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.template import Templar

from .actions import finished_task, task_context
from .core import LOADER, LOADING, TaskContext, plugin_loader
from .requests import handles
from .variables import Variables, templar_for

# The open connections, each as the action plugin that uses it, by the number of the request that
# opened it.
CONNECTIONS = {}


@handles("open connection")
def open_connection(conversation, body):
    """Opens a connection as ansible-core's executor does, with the options that variables give."""
    variables = Variables(conversation).copy()
    task = finished_task(body["task"])
    passwords = {"conn_pass": body["password"], "become_pass": body["become_password"]}
    play_context = PlayContext(passwords=passwords)
    with task_context(task, variables, body["host"]):
        executor = executor_for(body["host"], task, variables, play_context)
        templar = templar_of(executor, variables)
        play_context = play_context.set_task_and_variable_override(
            task=task, variables=variables, templar=templar
        )
        play_context.post_validate(templar=templar)
        play_context.timeout = body["timeout"]
        if not play_context.remote_addr:
            play_context.remote_addr = body["host"]
        executor._play_context = play_context
        options = TemplateOptions.DEFAULT
        with LOADING, TemplateContext(template_value=None, templar=templar, options=options):
            connection = executor._get_connection(
                cvars=variables, templar=templar, current_connection=body["plugin"]
            )
            executor._connection = connection
            executor._set_connection_options(variables, templar)
        with LOADING:
            action = plugin_loader.action_loader.get(
                "ansible.legacy.normal",
                task=task,
                connection=connection,
                play_context=play_context,
                loader=LOADER,
                templar=Templar._from_template_engine(templar),
                shared_loader_obj=plugin_loader,
            )
    CONNECTIONS[conversation.number] = action
    return conversation.number


def executor_for(name, task, variables, play_context):
    """Returns the executor of a task. Since 2.21 the task and its variables are in the context."""
    host = Host(name=name, gen_uuid=False)
    if TaskContext is not None:
        return TaskExecutor(host, play_context, LOADER, plugin_loader, None, None)
    return TaskExecutor(host, task, variables, play_context, LOADER, plugin_loader, None, None)


def templar_of(executor, variables):
    """Returns the template engine of a task."""
    if TaskContext is not None:
        return TaskContext.current().task_templar
    return getattr(executor, "_task_templar", None) or templar_for(variables)._engine


@handles("connection command")
def run_command(conversation, body):
    """Runs a command over a connection."""
    action = CONNECTIONS[body["id"]]
    connection = action._connection
    command, given, become = body["command"], base64.b64decode(body["input"]), body["become"]
    held = None
    if given and not connection.has_pipelining:
        # The connection has no standard input. A file of the login user is one, if it is opened
        # before the command becomes another user's.
        held = f"/tmp/playbook-input-{os.urandom(12).hex()}"
        put(action, given, held)
        if become and connection.become:
            command = connection.become.build_become_command(command, connection._shell)
            become = False
        else:
            command = f"{{ {command}; }}"
        command, given = f"{command} < {held}", b""
    try:
        done = action._low_level_execute_command(command, sudoable=become, in_data=given or None)
    finally:
        if held:
            action._low_level_execute_command(f"rm -f {held}", sudoable=False)
    return {"rc": done["rc"], "stdout": packed(done["stdout"]), "stderr": packed(done["stderr"])}


@handles("connection file")
def put_file(conversation, body):
    """Puts a file on the host."""
    put(CONNECTIONS[body["id"]], base64.b64decode(body["content"]), body["path"])


@handles("close connection")
def close_connection(conversation, number):
    """Closes a connection."""
    action = CONNECTIONS.pop(number, None)
    if action is not None:
        action._connection.close()


def put(action, content, path):
    """Puts content on the host."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        action._connection.put_file(file.name, path)


def packed(text):
    """Returns output in the form in which it is sent."""
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
