"""Runs the Python modules of amazon.aws and community.aws in front of an emulator, and lists what is in the account.

It reads commands from its standard input, one JSON object a line, and answers each with one:
`{"run": CASE, "endpoint": URL}` runs the tasks of a file, and `{"look": SERVICES, "endpoint": URL}` lists the resources of
services. It also answers `GET /?services=ec2&endpoint=URL` with such a list, so that a playbook can ask for it.
"""

import io
import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import boto3
from ansible.module_utils import basic
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar
from botocore.config import Config

CONNECTION = {"region": "us-east-1", "access_key": "AKIATEST", "secret_key": "not-a-secret"}
KEYWORDS = {"name", "register", "check_mode", "diff", "ignore_errors", "vars", "when", "until", "retries", "delay"}


def client(service, endpoint):
    """Returns a client that fails at once if the emulator does not know an operation."""
    config = Config(retries={"max_attempts": 0})
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="not-a-secret",
        config=config,
    )


LISTS = {
    "ec2": [
        "describe_vpcs Vpcs",
        "describe_subnets Subnets",
        "describe_internet_gateways InternetGateways",
        "describe_egress_only_internet_gateways EgressOnlyInternetGateways",
        "describe_nat_gateways NatGateways",
        "describe_route_tables RouteTables",
        "describe_vpc_endpoints VpcEndpoints",
        "describe_security_groups SecurityGroups",
        "describe_addresses Addresses",
        "describe_key_pairs KeyPairs",
        "describe_launch_templates LaunchTemplates",
        "describe_launch_template_versions LaunchTemplateVersions Versions[]=$Latest",
        "describe_instances Reservations",
        "describe_volumes Volumes",
    ],
    "elbv2": [
        "describe_load_balancers LoadBalancers",
        "describe_target_groups TargetGroups",
    ],
    "iam": [
        "list_roles Roles",
        "list_instance_profiles InstanceProfiles",
        "list_policies Policies Scope=Local",
    ],
    "ecr": ["describe_repositories repositories"],
    "ecs": ["list_clusters clusterArns", "list_task_definitions taskDefinitionArns"],
    "autoscaling": ["describe_auto_scaling_groups AutoScalingGroups", "describe_policies ScalingPolicies"],
    "cloudwatch": ["describe_alarms MetricAlarms", "list_dashboards DashboardEntries"],
    "logs": ["describe_log_groups logGroups", "describe_metric_filters metricFilters"],
    "sns": ["list_topics Topics", "list_subscriptions Subscriptions"],
    "rds": [
        "describe_db_instances DBInstances",
        "describe_db_clusters DBClusters",
        "describe_db_subnet_groups DBSubnetGroups",
        "describe_db_parameter_groups DBParameterGroups",
        "describe_db_snapshots DBSnapshots",
    ],
    "s3": ["list_buckets Buckets"],
    "ssm": ["describe_parameters Parameters"],
    "route53": ["list_hosted_zones HostedZones"],
    "acm": ["list_certificates CertificateSummaryList"],
    "secretsmanager": ["list_secrets SecretList"],
}

# What the lists above do not tell, asked for each item: operation, the argument, the item's member, what to keep.
DETAILS = {
    "describe_load_balancers": [
        ("describe_load_balancer_attributes", "LoadBalancerArn", "LoadBalancerArn", "Attributes"),
        ("describe_listeners", "LoadBalancerArn", "LoadBalancerArn", "Listeners"),
    ],
    "describe_target_groups": [
        ("describe_target_group_attributes", "TargetGroupArn", "TargetGroupArn", "Attributes"),
        ("describe_target_health", "TargetGroupArn", "TargetGroupArn", "TargetHealthDescriptions"),
    ],
    "list_roles": [
        ("list_attached_role_policies", "RoleName", "RoleName", "AttachedPolicies"),
        ("list_role_policies", "RoleName", "RoleName", "PolicyNames"),
        ("list_role_tags", "RoleName", "RoleName", "Tags"),
    ],
    "list_policies": [("list_policy_versions", "PolicyArn", "Arn", "Versions")],
    "describe_repositories": [
        ("get_lifecycle_policy", "repositoryName", "repositoryName", "lifecyclePolicyText"),
        ("get_repository_policy", "repositoryName", "repositoryName", "policyText"),
        ("list_tags_for_resource", "resourceArn", "repositoryArn", "tags"),
    ],
    "list_topics": [
        ("get_topic_attributes", "TopicArn", "TopicArn", "Attributes"),
        ("list_tags_for_resource", "ResourceArn", "TopicArn", "Tags"),
    ],
    "list_hosted_zones": [("list_resource_record_sets", "HostedZoneId", "Id", "ResourceRecordSets")],
    "describe_alarms": [("list_tags_for_resource", "ResourceARN", "AlarmArn", "Tags")],
    "list_dashboards": [("get_dashboard", "DashboardName", "DashboardName", "DashboardBody")],
    "describe_log_groups": [("list_tags_log_group", "logGroupName", "logGroupName", "tags")],
    "list_buckets": [
        ("get_bucket_tagging", "Bucket", "Name", "TagSet"),
        ("get_bucket_versioning", "Bucket", "Name", "Status"),
        ("get_bucket_policy", "Bucket", "Name", "Policy"),
        ("get_bucket_encryption", "Bucket", "Name", "ServerSideEncryptionConfiguration"),
        ("get_public_access_block", "Bucket", "Name", "PublicAccessBlockConfiguration"),
        ("list_objects_v2", "Bucket", "Name", "Contents"),
    ],
    "describe_parameters": [
        ("get_parameter", "Name", "Name", "Parameter"),
        ("list_tags_for_resource", "ResourceId", "Name", "TagList"),
    ],
    "describe_db_subnet_groups": [("list_tags_for_resource", "ResourceName", "DBSubnetGroupArn", "TagList")],
    "describe_db_parameter_groups": [
        ("list_tags_for_resource", "ResourceName", "DBParameterGroupArn", "TagList"),
        ("describe_db_parameters", "DBParameterGroupName", "DBParameterGroupName", "Parameters"),
    ],
    "list_certificates": [("list_tags_for_certificate", "CertificateArn", "CertificateArn", "Tags")],
}


def call(function, arguments):
    """Calls an operation; what the emulator refuses is no resource."""
    try:
        return function(**arguments)
    except Exception as error:  # noqa: BLE001 - the refusal is part of the list
        return {"refused": type(error).__name__}


def ecs(connection, arn):
    """Describes a cluster with its services, or a task definition."""
    if ":task-definition/" in arn:
        return connection.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    (cluster,) = connection.describe_clusters(clusters=[arn])["clusters"]
    services = connection.list_services(cluster=arn)["serviceArns"]
    if services:
        cluster["services"] = connection.describe_services(cluster=arn, services=services)["services"]
        for service in cluster["services"]:
            service["tags"] = connection.list_tags_for_resource(resourceArn=service["serviceArn"])["tags"]
    return cluster


def look(services, endpoint):
    """Lists the resources of services."""
    found = {}
    for service in services:
        connection = client(service, endpoint)
        for line in LISTS[service]:
            operation, member, *options = line.split()
            pairs = [option.split("=") for option in options]
            arguments = {key.removesuffix("[]"): [value] if key.endswith("[]") else value for key, value in pairs}
            items = call(getattr(connection, operation), arguments).get(member, [])
            if service == "ecs":
                items = [ecs(connection, item) for item in items]
            for item in items:
                for detail, argument, key, kept in DETAILS.get(operation, []):
                    arguments = {argument: item[key]}
                    if detail == "list_tags_for_resource" and service == "ssm":
                        arguments["ResourceType"] = "Parameter"
                    item[detail] = call(getattr(connection, detail), arguments).get(kept)
            found[f"{service} {operation}"] = items
    return found


class Looking(BaseHTTPRequestHandler):
    """Answers with the list of resources."""

    def do_GET(self):
        query = parse_qs(urlparse(self.path).query)
        found = look(query["services"][0].split(","), query["endpoint"][0])
        body = json.dumps(found, default=str).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(HTTPServer):
    """Ends with the process that started it."""

    parent = os.getpid()

    def service_actions(self):
        if os.getppid() != self.parent:
            os._exit(0)


def main_of(name):
    """Imports a module and returns its function `main`."""
    path = module_loader.find_plugin(name, mod_type=".py")
    if path is None:
        raise LookupError(f"no module {name}")
    relative = path[path.index("ansible_collections/") :].removesuffix(".py")
    return __import__(relative.replace("/", "."), fromlist=["main"]).main


def run_module(main, arguments, check, diff):
    """Runs a module in a process of its own, and returns its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 1)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0), write_through=True)
        try:
            internal = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_tmpdir": "/tmp"}
            text = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}})
            os.environ["AWS_DEFAULT_REGION"] = CONNECTION["region"]
            basic._ANSIBLE_ARGS = text.encode()
            basic._ANSIBLE_PROFILE = "legacy"
            main()
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001 - what ansible-core reports as a module failure
            print(json.dumps({"failed": True, "msg": traceback.format_exc()}))
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {"failed": True, "msg": f"MODULE FAILURE: {text}"}


def run(case, endpoint):
    """Runs the tasks of a file, and returns each with its result and the account after it."""
    loader = DataLoader()
    tasks = loader.load_from_file(case, trusted_as_template=True)
    with open(case, encoding="utf-8") as file:
        services = file.readline().removeprefix("# services:").replace(",", " ").split()
    variables = {"omit": "__omit__"}
    steps = []
    for task in tasks:
        (action,) = [key for key in task if key not in KEYWORDS]
        name = task.get("vars", {}).get("namesake", action)
        templar = Templar(loader=loader, variables=variables)
        arguments = {**CONNECTION, "endpoint_url": endpoint, **(templar.template(task[action]) or {})}
        try:
            if name == "amazon.aws.route53":
                # There, the region is that of a record.
                arguments = {key: arguments[key] for key in arguments if key != "region" or key in task[action]}
            result = run_module(main_of(name), arguments, task.get("check_mode", False), task.get("diff", False))
        except LookupError as error:
            result = {"failed": True, "msg": str(error)}
        if "register" in task:
            variables[task["register"]] = result
        steps.append({"name": task["name"], "result": result, "account": look(services, endpoint)})
    return steps


def main():
    """Answers commands until its input ends."""
    init_plugin_loader([])
    server = Server(("127.0.0.1", 0), Looking)
    # A process of its own: a process with threads cannot be forked safely, and modules are run in forks.
    if os.fork() == 0:
        server.serve_forever(0.05)
    print(json.dumps({"port": server.server_port}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"steps": run(command["run"], command["endpoint"])}
        except Exception:  # noqa: BLE001 - the test shows it
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
