#!/usr/bin/env bash
# community.aws 10.0 (the PyPI package ansible 12.3.0; 11.2.0 of ansible 14.5.0 behaves alike), module
# secretsmanager_secret, against moto 5.2.5: the order of `replica` decides whether a secret keeps its replicas.
#
# A secret is replicated to two regions. The same two, listed the other way round (or described by the API in another
# order), make the task remove one replica: an application in that region loses its credentials until the next run, which
# makes the replica anew. The same module calls a secret `changed`, and writes a new version, on every run if its
# description was set by something else, such as Terraform, and the task leaves it out.
#
# Seen: the second task changed=true with one region left; changed=true twice, and two more versions, after a description
# was set elsewhere. Expected by a user: changed=false, both regions, and no new version.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5951 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_PYTHON_INTERPRETER="$temporary/venv/bin/python"
moto_server -p 5951 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  module_defaults:
    community.aws.secretsmanager_secret: {name: password, secret: value}
  tasks:
    - community.aws.secretsmanager_secret: {replica: [{region: eu-west-1}, {region: eu-central-1}]}
      register: one
    - community.aws.secretsmanager_secret: {replica: [{region: eu-central-1}, {region: eu-west-1}]}
      register: two
    - command: >-
        {{ ansible_python_interpreter | default(ansible_playbook_python) }} -c
        'import boto3; boto3.client("secretsmanager").update_secret(SecretId="password", Description="by Terraform")'
    - community.aws.secretsmanager_secret:
      register: described
      loop: [first, second]
    - debug:
        msg:
          - "first changed={{ one.changed }} {{ one.secret.replication_status | map(attribute='region') | sort }}"
          - "other order changed={{ two.changed }} {{ two.secret.replication_status | map(attribute='region') | sort }}"
          - "description left out changed={{ described.results | map(attribute='changed') }}, versions alike
             {{ described.results[0].secret.version_ids_to_stages == described.results[1].secret.version_ids_to_stages }}"
YAML
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
sed -n 's/^        "\(.*changed=.*\)",\{0,1\}$/\1/p' log >seen
cat seen
cat >expected <<'SEEN'
first changed=True ['eu-central-1', 'eu-west-1']
other order changed=True ['eu-central-1']
description left out changed=[True, True], versions alike False
SEEN
diff expected seen
