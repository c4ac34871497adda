#!/usr/bin/env bash
# amazon.aws 10.1 and community.aws 10.0 (the PyPI package ansible 12.3.0; 11.4.0 and 11.2.0 of ansible 14.5.0 behave
# alike), against moto 5.2.5: modules that declare support for check mode and change the account in it.
#
# - cloudwatchlogs_log_group: a changed `retention` of an existing group is set. A shorter one makes CloudWatch delete
#   logs.
# - application_autoscaling_policy: the scalable target and its policy are made.
# - iam_password_policy: the account's password policy is replaced.
# - secretsmanager_secret: RotateSecret is sent for a secret whose rotation differs, which makes a new password. (The
#   emulator refuses it, since the function does not exist: that is the error seen.)
#
# Seen: as printed below, after one play with `check_mode: true`. Expected by a user: nothing is there.
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

python - <<'PYTHON'
import boto3
ecs = boto3.client("ecs")
ecs.create_cluster(clusterName="main")
ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web:1", "memory": 64}])
ecs.create_service(cluster="main", serviceName="web", taskDefinition="web", desiredCount=1)
logs = boto3.client("logs")
logs.create_log_group(logGroupName="/app")
logs.put_retention_policy(logGroupName="/app", retentionInDays=365)
boto3.client("secretsmanager").create_secret(Name="password", SecretString="value")
PYTHON
cat >site.yml <<'YAML'
- hosts: localhost
  gather_facts: false
  check_mode: true
  ignore_errors: true
  tasks:
    - amazon.aws.cloudwatchlogs_log_group: {log_group_name: /app, retention: 1}
    - community.aws.application_autoscaling_policy:
        state: present
        policy_name: cpu
        service_namespace: ecs
        resource_id: service/main/web
        scalable_dimension: ecs:service:DesiredCount
        policy_type: TargetTrackingScaling
        minimum_tasks: 1
        maximum_tasks: 4
        target_tracking_scaling_policy_configuration:
          PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
          TargetValue: 80.0
    - IAM_PASSWORD_POLICY: {state: present, min_pw_length: 14}
    - community.aws.secretsmanager_secret:
        name: password
        secret: value
        rotation_lambda: arn:aws:lambda:us-east-1:123456789012:function:rotate
YAML
# The module moved from one collection to the other.
here=$(python -c 'import ansible_collections.amazon.aws as a; print(a.__path__[0])')
collection=$([ -e "$here/plugins/modules/iam_password_policy.py" ] && echo amazon.aws || echo community.aws)
sed -i "s/IAM_PASSWORD_POLICY/$collection.iam_password_policy/" site.yml
ansible-playbook site.yml >log 2>&1 || { cat log; exit 1; }
{
    echo "calls refused: $(grep -o 'when calling the RotateSecret operation' log | sort -u)"
    python - <<'PYTHON'
import boto3
scaling = boto3.client("application-autoscaling")
print("retention:", boto3.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"])
print("scaling policies:", len(scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]))
print("password length:", boto3.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"])
PYTHON
} >seen
cat seen
cat >expected <<'SEEN'
calls refused: when calling the RotateSecret operation
retention: 1
scaling policies: 1
password length: 14
SEEN
diff expected seen
