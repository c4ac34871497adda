#!/usr/bin/env bash
# community.aws 10.0.0 (the PyPI package ansible 12.3.0; 11.2.0 of ansible 14.5.0 behaves alike), module ecs_service,
# against moto 5.2.5: what decides whether an existing service is updated.
#
# - `network_configuration`, `deployment_configuration`, `capacity_provider_strategy` and `placement_strategy` are not
#   compared: a task that moves the service into other subnets and security groups is `ok`, and nothing is sent.
# - `task_definition` is compared with `family:revision` only: with the ARN that ecs_taskdefinition returns, the
#   task is `changed` on every run.
# - A `desired_count` that is left out, as it must be once a scaling policy sets it, counts as 0: `changed` on every run.
# - `tags` that are left out count as none: once ecs_tag (of the same collection) has tagged a service, ecs_service is
#   `changed` on every run, and a task that names other tags fails.
#
# Seen: as printed below. Expected by a user: other subnets are changed=true once, everything else changed=false.
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
  module_defaults:
    community.aws.ecs_service: {state: present, name: web, cluster: main, launch_type: FARGATE, desired_count: 1,
      task_definition: "web:1", network_configuration: "{{ here }}"}
  tasks:
    - amazon.aws.ec2_vpc_subnet_info:
      register: subnets
    - amazon.aws.ec2_security_group_info:
      register: firewalls
    - set_fact:
        here: {subnets: ["{{ subnets.subnets[0].id }}"], assign_public_ip: false, security_groups: ["{{ firewalls.security_groups[0].group_id }}"]}
        there: {subnets: ["{{ subnets.subnets[1].id }}"], assign_public_ip: true, security_groups: ["{{ firewalls.security_groups[0].group_id }}"]}
    - community.aws.ecs_cluster: {name: main, state: present}
    - community.aws.ecs_taskdefinition:
        state: present
        family: web
        containers: [{name: web, image: "web:1", memory: 128, essential: true}]
      register: definition
    - community.aws.ecs_service:
      register: created
    - community.aws.ecs_service:
      register: same
    - community.aws.ecs_service:
        network_configuration: "{{ there }}"
        deployment_configuration: {minimum_healthy_percent: 100, maximum_percent: 150}
      register: moved
    - community.aws.ecs_service: {task_definition: "{{ definition.taskdefinition.taskDefinitionArn }}"}
      register: arn
      loop: [first, second]
    - community.aws.ecs_service: {desired_count: "{{ omit }}"}
      register: count
      loop: [first, second]
    - community.aws.ecs_tag: {cluster_name: main, resource: web, resource_type: service, tags: {team: blue}}
    - community.aws.ecs_service:
      register: tagged
      loop: [first, second]
    - community.aws.ecs_service_info: {cluster: main, service: web, details: true}
      register: service
    - debug:
        msg:
          - "created changed={{ created.changed }}"
          - "same changed={{ same.changed }}"
          - "other subnets changed={{ moved.changed }}, sent
             {{ service.services[0].networkConfiguration.awsvpcConfiguration.subnets == there.subnets }}"
          - "ARN changed={{ arn.results | map(attribute='changed') | list }}"
          - "no count changed={{ count.results | map(attribute='changed') | list }}"
          - "tagged by ecs_tag changed={{ tagged.results | map(attribute='changed') | list }}"
YAML
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
sed -n 's/^        "\(.*changed=.*\)",\{0,1\}$/\1/p' log >seen
cat seen
cat >expected <<'SEEN'
created changed=True
same changed=False
other subnets changed=False, sent False
ARN changed=[True, True]
no count changed=[True, True]
tagged by ecs_tag changed=[True, True]
SEEN
diff expected seen
