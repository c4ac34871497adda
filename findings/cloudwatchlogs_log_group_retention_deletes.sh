#!/usr/bin/env bash
# amazon.aws 10.1 (the PyPI package ansible 12.3.0; 11.4.0 of ansible 14.5.0 behaves alike), module
# cloudwatchlogs_log_group, against moto 5.2.5: a `retention` that is not in the module's own list deletes the log group.
#
# The list has 17 numbers of days; CloudWatch Logs also accepts 1096, 2192, 2557, 2922 and 3288 (three, six, seven, eight
# and nine years; PutRetentionPolicy in its API reference). A task that raises the retention of an existing group to one
# of them, or mistypes it, deletes the group with all its streams, and then fails with "Invalid retention value".
#
# Seen: one group with a stream before, none after the failed task. Expected by a user: an error, and the group as it was.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5950 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=0
moto_server -p 5950 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

groups() {
    python -c 'import boto3; print([g["logGroupName"] for g in boto3.client("logs").describe_log_groups()["logGroups"]])'
}
python - <<'PYTHON'
import boto3
logs = boto3.client("logs")
logs.create_log_group(logGroupName="/app")
logs.create_log_stream(logGroupName="/app", logStreamName="web/1")
PYTHON
before=$(groups)
ansible localhost -e ansible_python_interpreter="$temporary/venv/bin/python" -m amazon.aws.cloudwatchlogs_log_group \
    -a 'log_group_name=/app retention=2192' >log 2>&1 && status=0 || status=$?
after=$(groups)
echo "before: $before; exit status $status; after: $after"
grep -o 'Invalid retention value' log | head -1
[ "$before" = "['/app']" ] && [ "$after" = "[]" ] && [ "$status" = 2 ]
