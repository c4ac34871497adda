#!/usr/bin/env bash
# community.aws 10.0.0 (the PyPI package ansible 12.3.0; 11.2.0 of ansible 14.5.0 behaves alike), module
# ecs_taskdefinition, against moto 5.2.5: changes that it does not see, so that no revision is registered and a deployment
# goes on with the old definition while the task says `ok`.
#
# - Lists of a container (`environment`, `secrets`, `portMappings`, `command`, …) are compared by their length: another
#   value of a variable, another secret, another port, swapped words of a command are not seen.
# - `cpu`, `memory`, `execution_role_arn` and `network_mode` of the task are not compared at all.
# - A definition that equals an older revision returns that revision; a service that names the family only goes on with
#   the newest, so that a change that is taken back in the playbook is not taken back in the service.
#
# Seen: the first task changed=true (revision 1), the three changes `ok`, and one revision with the first values; after
# one more container list (revision 2), the first definition is `ok` with revision 1 while the family's newest stays 2.
# Expected by a user: a revision for each.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[ecs,ec2,server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5947 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_PYTHON_INTERPRETER="$temporary/venv/bin/python"
moto_server -p 5947 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  vars:
    web: {name: web, image: "web:1", essential: true}
    first:
      - "{{ web | combine({'environment': [{'name': 'FEATURE', 'value': 'off'}], 'command': ['serve', 'blue', 'green'],
                           'secrets': [{'name': 'URL', 'valueFrom': 'arn:aws:ssm:us-east-1:123456789012:parameter/one'}]}) }}"
    second:
      - "{{ web | combine({'environment': [{'name': 'FEATURE', 'value': 'on'}], 'command': ['serve', 'blue', 'green'],
                           'secrets': [{'name': 'URL', 'valueFrom': 'arn:aws:ssm:us-east-1:123456789012:parameter/two'}]}) }}"
    swapped:
      - "{{ first[0] | combine({'command': ['serve', 'green', 'blue']}) }}"
    longer:
      - "{{ first[0] | combine({'command': ['serve', 'blue', 'green', 'red']}) }}"
    small: {cpu: "256", memory: "512", role: one}
    large: {cpu: "1024", memory: "2048", role: two}
  tasks:
    - name: Register
      community.aws.ecs_taskdefinition:
        state: present
        family: web
        network_mode: bridge
        cpu: "{{ item.size.cpu }}"
        memory: "{{ item.size.memory }}"
        execution_role_arn: "arn:aws:iam::123456789012:role/{{ item.size.role }}"
        containers: "{{ item.containers }}"
      loop:
        - {name: first, containers: "{{ first }}", size: "{{ small }}"}
        - {name: environment and secret, containers: "{{ second }}", size: "{{ small }}"}
        - {name: command, containers: "{{ swapped }}", size: "{{ small }}"}
        - {name: size and role, containers: "{{ first }}", size: "{{ large }}"}
        - {name: longer command, containers: "{{ longer }}", size: "{{ small }}"}
        - {name: first again, containers: "{{ first }}", size: "{{ small }}"}
      loop_control: {label: "{{ item.name }}"}
      register: results
    - debug:
        msg: "{{ item.item.name }}: changed={{ item.changed }} revision={{ item.taskdefinition.revision }}"
      loop: "{{ results.results }}"
      loop_control: {label: "{{ item.item.name }}"}
YAML
ansible-playbook site.yml | sed -n 's/.*"msg": "\(.*\)".*/\1/p' >seen
cat seen
cat >expected <<'SEEN'
first: changed=True revision=1
environment and secret: changed=False revision=1
command: changed=False revision=1
size and role: changed=False revision=1
longer command: changed=True revision=2
first again: changed=False revision=1
SEEN
diff expected seen
