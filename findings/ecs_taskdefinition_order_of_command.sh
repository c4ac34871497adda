#!/usr/bin/env bash
# community.aws 10.0.0 (the PyPI package ansible 12.3.0), module ecs_taskdefinition, against moto 5.2.5:
# a container's `command` is compared without its order. A task that only swaps two words of the command, such as the
# arguments of an option, is `ok`: no revision is registered, and a deployment goes on with the old command.
#
# Seen: the first task is changed=true (revision 1), the second, with the command swapped, changed=false, and ECS still has
# the old command in its only revision. Expected by a user: revision 2.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[ecs,ec2,server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5931 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
moto_server -p 5931 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

register() {
    ansible localhost -e ansible_python_interpreter="$temporary/venv/bin/python" -m community.aws.ecs_taskdefinition \
        -a "{\"state\": \"present\", \"family\": \"web\", \"network_mode\": \"bridge\", \"containers\": [{\"name\": \"web\",
             \"image\": \"web:1\", \"memory\": 128, \"essential\": true, \"command\": $1}]}"
}
register '["serve", "--from", "blue", "--to", "green"]' >first
register '["serve", "--from", "green", "--to", "blue"]' >second
python - >revisions <<'PYTHON'
import boto3
ecs = boto3.client("ecs")
for arn in ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]:
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    print(definition["revision"], *definition["containerDefinitions"][0]["command"])
PYTHON
echo "first:  $(head -1 first)"
echo "second: $(head -1 second)"
cat revisions
grep -q 'CHANGED' first
grep -q 'SUCCESS' second && [ "$(cat revisions)" = '1 serve --from blue --to green' ]
