//! The infrastructure of the sample application in the emulator, and the state and outputs that Terraform would have
//! written for it.

use std::path::Path;

use serde_json::{Value, json};

use crate::aws::{Aws, REGION, percent_encode};
use crate::postgres::{Postgres, sql_at};
use crate::{Doing, Result};

/// The application's database user.
pub const DATABASE_USER: &str = "app_owner";
/// The database user's password, which needs percent-encoding in a URL.
pub const DATABASE_PASSWORD: &str = "p@ss/w0rd:#1?&%";

/// The application's database.
pub struct Database<'a> {
    /// The server's host.
    pub host: &'a str,
    /// The server's port.
    pub port: u16,
    /// The database's name.
    pub name: &'a str,
}

/// Creates the application's user and an empty database.
pub fn create_database(postgres: &Postgres, name: &str) -> Result<()> {
    create_database_at(&postgres.bin, &postgres.url("postgres"), name)
}

/// Creates the application's user and an empty database on the server at the administrator's URL.
pub fn create_database_at(bin: &Path, administrator: &str, name: &str) -> Result<()> {
    // Tests that start at the same time may both create the role.
    let role = format!(
        "do $$ begin create role {DATABASE_USER} login password '{DATABASE_PASSWORD}'; \
         exception when duplicate_object or unique_violation then null; end $$"
    );
    sql_at(bin, administrator, &role)?;
    sql_at(bin, administrator, &format!("create database \"{name}\" owner {DATABASE_USER}")).map(drop)
}

/// Creates the infrastructure of the application `app` and returns its Terraform state.
pub fn provision(aws: Aws, app: &str, database: &Database) -> Result<Value> {
    let repository = aws.ecr("CreateRepository", &json!({"repositoryName": app}))?;
    let repository_url = text(&repository["repository"]["repositoryUri"]);
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": format!("sha256:{:064x}", 1), "size": 1, "mediaType": "application/vnd.docker.container.image.v1+json"},
        "layers": []});
    for tag in ["1.0.0", "1.1.0", "latest"] {
        let image = json!({"repositoryName": app, "imageManifest": manifest.to_string(), "imageTag": tag});
        aws.ecr("PutImage", &image)?;
    }

    let secret_name = format!("{app}/database");
    let secret_text = json!({"username": DATABASE_USER, "password": DATABASE_PASSWORD, "host": database.host,
        "port": database.port, "dbname": database.name, "engine": "postgres"});
    let secret = aws.secrets(
        "CreateSecret",
        &json!({"Name": secret_name, "SecretString": secret_text.to_string(),
        "ClientRequestToken": format!("{:0>32}", "1")}),
    )?;
    let secret_arn = text(&secret["ARN"]);

    let connection = format!(
        "postgresql://{DATABASE_USER}:{}@{}:{}/{}",
        percent_encode(DATABASE_PASSWORD),
        database.host,
        database.port,
        database.name
    );

    let instance = format!("{app}-postgres");
    let created = aws.query(
        "rds",
        "2014-10-31",
        &[
            ("Action", "CreateDBInstance"),
            ("DBInstanceIdentifier", &instance),
            ("Engine", "postgres"),
            ("EngineVersion", "15.4"),
            ("DBInstanceClass", "db.t3.micro"),
            ("AllocatedStorage", "20"),
            ("StorageType", "gp3"),
            ("DBName", "webapp"),
            ("MasterUsername", "postgres"),
            ("MasterUserPassword", "only-in-the-emulator"),
            ("BackupRetentionPeriod", "7"),
        ],
    )?;
    let instance_arn = created.text("DBInstanceArn")?;

    let subnets = aws.query("ec2", "2016-11-15", &[("Action", "DescribeSubnets")])?.texts("subnetId");
    let vpc = aws.query("ec2", "2016-11-15", &[("Action", "DescribeVpcs")])?.text("vpcId")?;
    let subnets: Vec<&str> = subnets.iter().map(String::as_str).take(2).collect();
    let short: String = app.chars().take(20).collect();
    let balancer = aws.query(
        "elasticloadbalancing",
        "2015-12-01",
        &[
            ("Action", "CreateLoadBalancer"),
            ("Name", &short),
            ("Subnets.member.1", subnets.first().copied().unwrap_or_default()),
            ("Subnets.member.2", subnets.get(1).copied().unwrap_or_default()),
        ],
    )?;
    let (balancer_arn, dns) = (balancer.text("LoadBalancerArn")?, balancer.text("DNSName")?);
    let target_group = aws.query(
        "elasticloadbalancing",
        "2015-12-01",
        &[
            ("Action", "CreateTargetGroup"),
            ("Name", &short),
            ("Protocol", "HTTP"),
            ("Port", "8000"),
            ("VpcId", &vpc),
            ("TargetType", "ip"),
            ("HealthCheckPath", "/health"),
        ],
    )?;
    let target_group_arn = target_group.text("TargetGroupArn")?;
    aws.query(
        "elasticloadbalancing",
        "2015-12-01",
        &[
            ("Action", "RegisterTargets"),
            ("TargetGroupArn", &target_group_arn),
            ("Targets.member.1.Id", "172.31.0.10"),
            ("Targets.member.2.Id", "172.31.0.11"),
        ],
    )?;
    let security_group = aws.query(
        "ec2",
        "2016-11-15",
        &[("Action", "DescribeSecurityGroups"), ("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &vpc)],
    )?;
    let security_group = security_group.text("groupId")?;

    let log_group = format!("/ecs/{app}");
    aws.logs("CreateLogGroup", &json!({"logGroupName": log_group}))?;

    let cluster = format!("{app}-cluster");
    let cluster_arn =
        text(&aws.ecs("CreateCluster", &json!({"clusterName": cluster}))?["cluster"]["clusterArn"]);
    let definition = json!({
        "family": app, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [{
            "name": app, "image": format!("{repository_url}:1.0.0"), "essential": true,
            "portMappings": [{"containerPort": 8000, "protocol": "tcp"}],
        }],
    });
    let definition = aws.ecs("RegisterTaskDefinition", &definition)?;
    let definition_arn = text(&definition["taskDefinition"]["taskDefinitionArn"]);
    let service = aws.ecs("CreateService", &json!({
        "cluster": cluster, "serviceName": app, "taskDefinition": definition_arn, "desiredCount": 2,
        "launchType": "FARGATE",
        "loadBalancers": [{"targetGroupArn": target_group_arn, "containerName": app, "containerPort": 8000}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [security_group], "assignPublicIp": "DISABLED"}},
    }))?;
    let service_arn = text(&service["service"]["serviceArn"]);

    Ok(json!({
        "version": 4, "terraform_version": "1.9.5", "serial": 12, "lineage": "5a3f7f6e-6a0e-4d0c-9c1e-9f1b2a7c8d90",
        "outputs": {
            "environment_name": output(json!("sandbox")),
            "aws_region": output(json!(REGION)),
            "app_name": output(json!(app)),
            "ecr_repo": output(json!(repository_url.trim_end_matches(&format!("/{app}")))),
            "ecs_cluster_name": output(json!(cluster)),
            "task_definition_arn": output(json!(definition_arn)),
            "execution_role_arn": output(json!("arn:aws:iam::123456789012:role/ecsTaskExecutionRole")),
            "target_group_arn": output(json!(target_group_arn)),
            "load_balancer_dns": output(json!(dns)),
            "log_group": output(json!(log_group)),
            "subnet_ids": {"value": subnets, "type": ["list", "string"]},
            "db_instance_identifier": output(json!(instance)),
            "db_secret_arn": output(json!(secret_arn)),
            "db_connection_string": {"value": connection, "type": "string", "sensitive": true},
        },
        "resources": [
            resource("aws_ecs_cluster", "main", json!({"arn": cluster_arn, "id": cluster_arn, "name": cluster})),
            resource("aws_ecs_service", "app", json!({"id": service_arn, "name": app, "cluster": cluster_arn, "desired_count": 2})),
            resource("aws_db_instance", "postgres", json!({"arn": instance_arn, "identifier": instance, "engine": "postgres"})),
            resource("aws_lb", "main", json!({"arn": balancer_arn, "dns_name": dns, "name": short})),
            resource("aws_ecr_repository", "app", json!({"name": app, "repository_url": repository_url})),
            resource("aws_secretsmanager_secret", "database", json!({"arn": secret_arn, "name": secret_name})),
        ],
        "check_results": null,
    }))
}

/// Writes the state as `terraform.tfstate`, and the output of `terraform output -json` as `outputs.json`.
pub fn write_state(directory: &Path, state: &Value) -> Result<()> {
    std::fs::create_dir_all(directory).doing(format!("creating {}", directory.display()))?;
    let mut outputs = state["outputs"].clone();
    for (_, output) in outputs.as_object_mut().into_iter().flatten() {
        output["sensitive"] = json!(output["sensitive"] == json!(true));
    }
    for (name, value) in [("terraform.tfstate", state), ("outputs.json", &outputs)] {
        let path = directory.join(name);
        std::fs::write(&path, format!("{value:#}\n")).doing(format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn output(value: Value) -> Value {
    json!({"value": value, "type": "string"})
}

fn resource(kind: &str, name: &str, attributes: Value) -> Value {
    json!({"mode": "managed", "type": kind, "name": name,
        "provider": "provider[\"hashicorp/aws\"]",
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}]})
}
