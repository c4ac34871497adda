//! `ecs_cluster_names`: lists the clusters of an account.

use playbook_api::{Context, ControllerModule, Doc, Failure, Outcome};
use serde::Deserialize;

use crate::client::Aws;
use crate::connection::Connection;
use crate::error::Explain;

/// Lists the names of the ECS clusters in a region.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct EcsClusterNames {
    /// The prefix that the names must have.
    #[serde(default)]
    prefix: String,
    #[serde(flatten)]
    connection: Connection,
}

impl ControllerModule for EcsClusterNames {
    const DOC: Doc = Doc {
        name: "ecs_cluster_names",
        collection: "my.aws",
        short: "Lists the names of ECS clusters",
        check_mode: "Full: it only reads.",
        returns: &[("names", "list", "The names, sorted.")],
        examples: "- ecs_cluster_names:\n    prefix: production-\n  register: clusters\n",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let mut pages = aws.ecs().list_clusters().into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(arn) = pages.next().await {
            // The operation must be listed in operations.rs, or check mode rejects the call.
            let arn = arn.explain("ecs:ListClusters")?;
            let name = crate::text::short(&arn);
            if name.starts_with(&self.prefix) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(aws.finish(Outcome::default().with("names", names)))
    }
}

#[tokio::test]
async fn clusters_are_listed_in_check_mode_too() {
    use playbook_api::{Arguments, ModuleEntry, Run, Value, map};

    let endpoint = std::env::var("PLAYBOOK_TEST_AWS_ENDPOINT").expect("an emulator: run `cargo xtask test`");
    let arguments = map! {
        "prefix" => "no-such-prefix-",
        "endpoint_url" => endpoint,
        "region" => "us-east-1",
        "access_key" => "AKIATEST",
        "secret_key" => "not-a-secret",
    };
    let entry = ModuleEntry::controller::<EcsClusterNames>();
    let Run::Controller(run) = entry.run else { panic!("ecs_cluster_names runs in the controller") };
    let context = Context { check: true, ..Context::default() };
    let outcome = run(entry.clone(), Arguments::from(arguments), context).await.expect("a list");
    assert_eq!(outcome.values.get("names"), Some(&Value::from(Vec::<Value>::new())));
}
