#!/usr/bin/env bash
# ansible-core 2.21.5 and 2.19.14: two ways in which `ignore_errors` hides a failure that nobody asked to ignore.
#
# - A loop whose `ignore_errors` depends on the item. 2.21.5 goes on with the play, exit status 0, as soon as one failed item
#   is ignored, although another one failed and is not. 2.19.14 stops with exit status 2 in that case.
# - A misspelled value, `ignore_errors: ture`. 2.19.14 fails the task because the value is not a boolean, does not run it,
#   and then ignores that failure: exit status 0 with `ignored=1`, and the command never ran. 2.21.5 stops with 2.
#
# So a playbook moves from one release to the other with one of them mended and the other one new.
#
# Seen: as printed below. Expected by a user: exit status 2 in all four cases.
#
# Needs Python 3.12 or newer (for 2.21.5) and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cd "$temporary"
export HOME="$temporary" ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_NOCOLOR=1
for python in python3 python3.14 python3.13 python3.12; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && break
done
cat >loop.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  tasks:
    - command: "{{ item.command }}"
      loop:
        - {command: "false", ignore: false}
        - {command: "false", ignore: true}
      ignore_errors: "{{ item.ignore }}"
    - debug: {msg: went on}
YAML
cat >misspelled.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  tasks:
    - command: touch was-run
      ignore_errors: ture
    - debug: {msg: went on}
YAML
for release in 2.19.14 2.21.5; do
    "$python" -m venv "core-$release"
    "core-$release/bin/pip" install -q "ansible-core==$release"
    for playbook in loop misspelled; do
        "core-$release/bin/ansible-playbook" "$playbook.yml" >log 2>/dev/null && status=0 || status=$?
        went_on=$(grep -c '"msg": "went on"' log || true)
        echo "$release $playbook: exit status $status, went on $went_on, run $([ -e was-run ] && echo yes || echo no)"
    done
done | tee seen
cat >expected <<'SEEN'
2.19.14 loop: exit status 2, went on 0, run no
2.19.14 misspelled: exit status 0, went on 1, run no
2.21.5 loop: exit status 0, went on 1, run no
2.21.5 misspelled: exit status 2, went on 0, run no
SEEN
diff expected seen
