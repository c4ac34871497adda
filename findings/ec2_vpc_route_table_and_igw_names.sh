#!/usr/bin/env bash
# amazon.aws 10.1.2 (the PyPI package ansible 12.3.0), modules ec2_vpc_route_table and ec2_vpc_igw, against moto 5.2.5.
#
# - ec2_vpc_route_table with the name of a subnet that does not exist fails, and has removed the routes of the table that the
#   task does not list before that: one misspelled name, and the subnets that use the table are cut off.
# - ec2_vpc_igw with the ID of a gateway that does not exist (deleted, or of another region) succeeds: it creates another
#   gateway, which is attached to nothing, and one more with each run.
# - ec2_vpc_igw with nothing but the ID of a gateway that is attached to a VPC fails: it compares the VPC with the one that
#   the task does not name.
#
# Seen: as printed below. Expected by a user: the route is still there, and no gateway comes of an ID.
#
# Needs Python 3.11 or newer and PyPI. Exits with 0 while this is so, and with 1 once it is not.
set -euo pipefail
temporary=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$temporary"' EXIT
cd "$temporary"
python3 -m venv venv
venv/bin/pip install -q 'ansible==12.3.0' 'moto[server]==5.2.5' 'boto3==1.40.0'
export PATH="$temporary/venv/bin:$PATH" HOME="$temporary" AWS_ENDPOINT_URL=http://127.0.0.1:5949 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_NOCOLOR=1
export ANSIBLE_INVENTORY_UNPARSED_WARNING=0 ANSIBLE_PYTHON_INTERPRETER="$temporary/venv/bin/python"
moto_server -p 5949 >server.log 2>&1 &
server=$!
for _ in $(seq 100); do curl -fs "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break || sleep 0.2; done

cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  module_defaults:
    amazon.aws.ec2_vpc_route_table: {vpc_id: "{{ network.vpc.id }}", tags: {Name: public}}
  tasks:
    - amazon.aws.ec2_vpc_net: {name: web, cidr_block: 10.20.0.0/16}
      register: network
    - amazon.aws.ec2_vpc_igw: {vpc_id: "{{ network.vpc.id }}"}
      register: gateway
    - amazon.aws.ec2_vpc_route_table: {routes: [{dest: 0.0.0.0/0, gateway_id: igw}]}
      register: before
    - amazon.aws.ec2_vpc_route_table: {routes: [{dest: 10.90.0.0/16, gateway_id: igw}], subnets: [pubic]}
      register: misspelled
      ignore_errors: true
    - amazon.aws.ec2_vpc_route_table_info: {filters: {"tag:Name": public}}
      register: after
    - amazon.aws.ec2_vpc_igw: {internet_gateway_id: igw-0123456789abcdef0}
      register: unknown
    - amazon.aws.ec2_vpc_igw: {internet_gateway_id: "{{ gateway.gateway_id }}"}
      register: known
      ignore_errors: true
    - amazon.aws.ec2_vpc_igw_info:
      register: gateways
    - debug:
        msg:
          - "a subnet that does not exist: failed={{ misspelled.failed }} routes to the internet before={{ before.route_table.routes | selectattr('destination_cidr_block', 'eq', '0.0.0.0/0') | length }} after={{ after.route_tables[0].routes | selectattr('destination_cidr_block', 'eq', '0.0.0.0/0') | length }}"
          - "a gateway that does not exist: failed={{ unknown.failed }} changed={{ unknown.changed }} gateways={{ gateways.internet_gateways | length }}"
          - "a gateway that exists: failed={{ known.failed }}"
YAML
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
sed -n 's/^        "\(a .*failed=.*\)",\{0,1\}$/\1/p' log >seen
cat seen
cat >expected <<'SEEN'
a subnet that does not exist: failed=True routes to the internet before=1 after=0
a gateway that does not exist: failed=False changed=True gateways=2
a gateway that exists: failed=True
SEEN
diff expected seen
