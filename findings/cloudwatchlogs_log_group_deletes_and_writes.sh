#!/usr/bin/env bash
# amazon.aws 10.1.2 (the PyPI package ansible 12.3.0), module cloudwatchlogs_log_group, against moto 5.2.5.
#
# - A number of days that is not one of the module's list (here 1096, three years, which CloudWatch Logs accepts) fails the
#   task, and deletes the log group with all its events before that. The module's message names only the valid values.
# - In check mode, a retention that differs from that of an existing group is written: the dry run changes how long events
#   are kept, and CloudWatch Logs deletes what is older than that.
#
# Seen: as printed below. Expected by a user: the group is still there, and a dry run changes nothing.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5948 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_PYTHON_INTERPRETER="$temporary/venv/bin/python"
moto_server -p 5948 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  tasks:
    - amazon.aws.cloudwatchlogs_log_group: {log_group_name: app, retention: 365}
    - amazon.aws.cloudwatchlogs_log_group: {log_group_name: app, retention: 1}
      check_mode: true
    - amazon.aws.cloudwatchlogs_log_group_info: {log_group_name: app}
      register: after
    - amazon.aws.cloudwatchlogs_log_group: {log_group_name: app, retention: 1096}
      register: longer
      ignore_errors: true
    - amazon.aws.cloudwatchlogs_log_group_info: {log_group_name: app}
      register: left
    - debug:
        msg:
          - "after a dry run with retention 1: days={{ after.log_groups[0].retention_in_days }}"
          - "retention 1096: failed={{ longer.failed }} groups={{ left.log_groups | length }}"
YAML
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
sed -n 's/^        "\(.*retention.*\)",\{0,1\}$/\1/p' log >seen
cat seen
cat >expected <<'SEEN'
after a dry run with retention 1: days=1
retention 1096: failed=True groups=0
SEEN
diff expected seen
