//! Terraform's state as an inventory, from every place where a state can be.

use crate::support::Ended;
use crate::support::project::Project;
use crate::support::servers::{servers, unique};

const STATE: &str = r#"{"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "x", "outputs": {
    "app_name": {"value": "shop", "type": "string"},
    "replicas": {"value": 3, "type": "number"},
    "db_password": {"value": "only-terraform-knows", "type": "string", "sensitive": true}
}, "resources": []}"#;

const PLAYBOOK: &str = "- hosts: localhost
  gather_facts: false
  tasks:
    - assert: {that: [replicas + 1 == 4, db_password | length == 20]}
    - debug: {msg: 'app {{ app_name }}'}
    - debug: {msg: 'with {{ db_password }}'}
";

fn seen(ended: Ended) {
    ended.ok().says(&["app shop"]).hides(&["only-terraform-knows"]);
}

#[test]
fn a_state_in_a_bucket() {
    let Some(servers) = servers("a Terraform state in S3") else { return };
    let bucket = unique("states");
    servers.emulator.create_bucket(&bucket).expect("a bucket");
    servers.emulator.put_object(&bucket, "prod/terraform.tfstate", STATE.into()).expect("an object");
    let project = Project::new(&[
        ("play.yml", PLAYBOOK),
        (
            "inventory.yml",
            &format!("plugin: terraform_outputs\npath: s3://{bucket}/prod/terraform.tfstate\n"),
        ),
    ]);
    let endpoint = format!("http://127.0.0.1:{}", servers.emulator.port);
    let run = |inventory: &str| {
        let mut command = project.command(&["run", "play.yml", "-i", inventory]);
        Ended::of(command.envs(xtask::aws::environment(&endpoint)))
    };
    seen(run("inventory.yml"));
    seen(run(&format!("terraform:s3://{bucket}/prod/terraform.tfstate")));
    run(&format!("terraform:s3://{bucket}/elsewhere")).says(&["there is no s3://", "/elsewhere"]);
    // Another workspace's state is beside it, below a prefix.
    let staging = STATE.replace("shop", "staging-shop");
    for (prefix, option) in [("env:", ""), ("spaces", "workspace_key_prefix: spaces\n")] {
        let key = format!("{prefix}/staging/prod/terraform.tfstate");
        servers.emulator.put_object(&bucket, &key, staging.clone()).expect("an object");
        let config = format!(
            "plugin: terraform_outputs\npath: s3://{bucket}/prod/terraform.tfstate\nworkspace: staging\n{option}"
        );
        std::fs::write(project.path().join("staging.yml"), config).expect("a file");
        run("staging.yml").ok().says(&["app staging-shop"]);
    }
}

#[test]
fn a_state_in_a_directory_by_workspace() {
    let project = Project::new(&[
        ("play.yml", PLAYBOOK),
        ("infra/terraform.tfstate.d/blue/terraform.tfstate", STATE),
        ("inventory.yml", "plugin: terraform_outputs\npath: infra\nworkspace: blue\n"),
    ]);
    // Neither terraform nor tofu is there to be asked.
    seen(Ended::of(project.command(&["run", "play.yml", "-i", "inventory.yml"]).env("PATH", "/nowhere")));
}
