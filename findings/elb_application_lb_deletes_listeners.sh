#!/usr/bin/env bash
# amazon.aws 10.1.2 (the PyPI package ansible 12.3.0), module elb_application_lb, against moto 5.2.5.
#
# - A task that does not name `listeners` deletes all listeners of an existing load balancer. The module's documentation
#   says of `purge_listeners` that listeners are not modified if `listeners` is not set. A task that only changes an
#   attribute or a tag so takes the application out of service, with changed=true and nothing else to see.
# - A new listener that comes with `Rules` fails the task after the listener was created: the module looks for its ARN among
#   the listeners that it read before. The same task again succeeds.
#
# Seen: as printed below. Expected by a user: one listener after each task, and no failure.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[server]==5.2.5' 'boto3==1.40.0'
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
    plain: {Protocol: HTTP, Port: 80, DefaultActions: [{Type: forward, TargetGroupName: web}]}
    rules:
      - Conditions: [{Field: path-pattern, Values: ["/api/*"]}]
        Priority: "1"
        Actions: [{Type: forward, TargetGroupName: web}]
  module_defaults:
    amazon.aws.elb_application_lb: {state: present, name: web, subnets: "{{ zones }}", security_groups: "{{ firewall }}"}
  tasks:
    - amazon.aws.ec2_vpc_subnet_info:
      register: all
    - amazon.aws.ec2_security_group_info:
      register: firewalls
    - set_fact:
        zones: ["{{ all.subnets[0].id }}", "{{ all.subnets[1].id }}"]
        firewall: ["{{ firewalls.security_groups[0].group_id }}"]
    - community.aws.elb_target_group:
        {name: web, protocol: http, port: 80, vpc_id: "{{ all.subnets[0].vpc_id }}", state: present}
    - amazon.aws.elb_application_lb: {listeners: ["{{ plain }}"]}
      register: created
    - amazon.aws.elb_application_lb: {tags: {team: blue}}
      register: tagged
    - amazon.aws.elb_application_lb: {listeners: ["{{ plain | combine({'Rules': rules}) }}"]}
      register: first
      ignore_errors: true
    - amazon.aws.elb_application_lb_info: {names: [web]}
      register: between
    - amazon.aws.elb_application_lb: {listeners: ["{{ plain | combine({'Rules': rules}) }}"]}
      register: second
    - debug:
        msg:
          - "created listeners={{ created.listeners | length }}"
          - "only a tag changed={{ tagged.changed }} listeners={{ tagged.listeners | length }}"
          - "with rules failed={{ first.failed }} listeners={{ between.load_balancers[0].listeners | length }}"
          - "with rules again failed={{ second.failed }} listeners={{ second.listeners | length }}"
YAML
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
sed -n 's/^        "\(.*listeners=.*\)",\{0,1\}$/\1/p' log >seen
cat seen
cat >expected <<'SEEN'
created listeners=1
only a tag changed=True listeners=0
with rules failed=True listeners=1
with rules again failed=False listeners=1
SEEN
diff expected seen
