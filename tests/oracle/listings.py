"""Runs command lines of ansible-core that only list, one child each of a process that has imported it already.

Reads a JSON list of {"directory", "words"} from standard input, and writes a list of {"code", "stdout", "stderr"}.
"""
import json
import os
import sys
import tempfile

from ansible.cli.inventory import InventoryCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.plugins import loader  # noqa: F401  what every command line needs

PROGRAMS = {"ansible-inventory": InventoryCLI, "ansible-playbook": PlaybookCLI}


def run(directory, words):
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.chdir(directory)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        code = 250
        try:
            PROGRAMS[words[0]].cli_executor(words)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    texts = []
    for file in (out, err):
        file.seek(0)
        texts.append(file.read().decode(errors="replace"))
    return {"code": os.waitstatus_to_exitcode(status), "stdout": texts[0], "stderr": texts[1]}


json.dump([run(**listing) for listing in json.load(sys.stdin)], sys.stdout)
