#!/usr/bin/env bash
# PyYAML 6.0.4 below ansible-core 2.19.14 and 2.21.5: YAML merge keys (`<<`) give other values than with PyYAML 6.0.3.
#
# - `<<: [*production, *defaults]`: by YAML's rule, and in 6.0.3, the first map's values count. In 6.0.4 the last one's do,
#   so a playbook that lists its overrides first silently deploys the defaults.
# - A merged map that has a merge of its own: 6.0.4 drops the replaced value if its key has one character (availability
#   zones, sizes, numbers), because it recognizes keys by the identity of their strings, and CPython keeps one object for
#   each such string. The value of the innermost map comes back.
#
# Neither ansible-core pins PyYAML below 6.0.4: a fresh `pip install ansible-core` is affected. The only hint is the
# warning about duplicate keys, which ansible-core prints for every replaced key, also where the result is right.
#
# Seen: `cpu: 256` (the default) with 6.0.4, `cpu: 1024` with 6.0.3; `a: subnet-1` with 6.0.4, `a: subnet-9` with 6.0.3.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cd "$temporary"
export HOME="$temporary" ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_NOCOLOR=1
cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  vars:
    defaults: &defaults {cpu: 256, memory: 512}
    production: &production {cpu: 1024, memory: 2048}
    web:
      <<: [*production, *defaults]
    zones: &zones {a: subnet-1, b: subnet-2}
    ours: &ours
      <<: *zones
      a: subnet-9
    all:
      <<: *ours
      c: subnet-3
  tasks:
    - debug:
        msg: "web has cpu {{ web.cpu }}, zone a is {{ all.a }}"
YAML
python3 -m venv venv
result() {
    venv/bin/pip install -q 'ansible-core==2.19.14' "PyYAML==$1"
    venv/bin/ansible-playbook site.yml 2>/dev/null | sed -n 's/.*"msg": "\(.*\)"/\1/p'
}
old=$(result 6.0.3)
new=$(result 6.0.4)
echo "PyYAML 6.0.3: $old"
echo "PyYAML 6.0.4: $new"
[ "$old" = 'web has cpu 1024, zone a is subnet-9' ] && [ "$new" = 'web has cpu 256, zone a is subnet-1' ]
