//! `ecs_cluster`: creates, changes and deletes clusters.

use aws_sdk_ecs::types::{CapacityProviderStrategyItem, Cluster};
use playbook_api::{Change, ChangeAction, Context, ControllerModule, Doc, Error, Failure, Outcome, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::connection::Connection;
use crate::ecs::service::CapacityProvider;
use crate::error::Explain;
use crate::resource::{self, set_unknown};
use crate::{shape, wait};

/// Creates, changes or deletes a cluster of Amazon ECS, or waits until it has container instances.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct EcsCluster {
    /// The desired state of the cluster.
    pub state: State,
    /// The name of the cluster.
    pub name: String,
    /// The number of seconds between two requests while waiting for instances.
    #[serde(default = "ten")]
    pub delay: i64,
    /// The number of attempts while waiting for instances.
    #[serde(default = "ten")]
    pub repeat: i64,
    /// The names of the capacity providers that services of the cluster may use.
    pub capacity_providers: Option<Vec<String>>,
    /// The default strategy, for services that specify none.
    pub capacity_provider_strategy: Option<Vec<CapacityProvider>>,
    /// Whether to remove capacity providers and strategies that are not listed. A task that lists neither changes neither.
    #[serde(default = "playbook_api::defaults::yes")]
    pub purge_capacity_providers: bool,
    #[serde(flatten)]
    pub connection: Connection,
}

fn ten() -> i64 {
    10
}

/// The desired state of a cluster.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// The cluster exists.
    Present,
    /// The cluster does not exist.
    Absent,
    /// The cluster exists and has container instances; the module waits for them.
    HasInstances,
}

impl ControllerModule for EcsCluster {
    const DOC: Doc = Doc {
        name: "ecs_cluster",
        collection: "community.aws",
        aliases: &["amazon.aws.ecs_cluster"],
        short: "Create, change or delete an ECS cluster",
        returns: &[(
            "cluster",
            "dict",
            "The cluster as DescribeClusters prints it: clusterArn, clusterName, status, …",
        )],
        examples: "\
- name: A cluster on Fargate
  ecs_cluster:
    name: production
    state: present
    capacity_providers: [FARGATE, FARGATE_SPOT]
    capacity_provider_strategy:
      - {capacity_provider: FARGATE, base: 1, weight: 1}
      - {capacity_provider: FARGATE_SPOT, weight: 3}

- name: Delete it
  ecs_cluster: {name: production, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let aws = Aws::connect(&self.connection, context).await?;
        let (existing, deleted) = match self.find_any(&aws).await? {
            Some(cluster) if exists(&cluster) => (Some(cluster), None),
            other => (None, other),
        };
        let outcome = match (self.state, existing) {
            (State::Absent, None) => Outcome::changed(false).with("cluster", json_value(deleted.as_ref())),
            (State::Absent, Some(cluster)) => self.delete(&aws, &cluster, context).await?,
            (State::Present, None) => self.create(&aws, context).await?,
            (State::Present, Some(cluster)) => self.update(&aws, &cluster, context).await?,
            (State::HasInstances, existing) => self.wait_for_instances(&aws, existing, context).await?,
        };
        Ok(aws.finish(outcome))
    }
}

impl EcsCluster {
    fn title(&self) -> String {
        format!("ECS cluster {}", self.name)
    }

    /// Finds the cluster, which ECS still describes for a while after its deletion.
    async fn find_any(&self, aws: &Aws) -> Result<Option<Cluster>, Error> {
        let answer = aws
            .ecs()
            .describe_clusters()
            .clusters(&self.name)
            .send()
            .await
            .explain("ecs:DescribeClusters")?;
        Ok(answer.clusters.unwrap_or_default().into_iter().next())
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Cluster>, Error> {
        Ok(self.find_any(aws).await?.filter(exists))
    }

    fn change(
        &self,
        aws: &Aws,
        action: ChangeAction,
        cluster: Option<&Cluster>,
        changes: &Changes,
    ) -> Change {
        let arn = cluster.and_then(Cluster::cluster_arn);
        resource::change(aws, "AWS::ECS::Cluster", &self.name, arn, action, changes)
    }

    fn strategy(&self) -> Option<Json> {
        self.capacity_provider_strategy.as_ref().map(|all| {
            all.iter()
                .map(|c| {
                    json!({"capacityProvider": c.capacity_provider, "weight": c.weight.unwrap_or(0),
                    "base": c.base.unwrap_or(0)})
                })
                .collect()
        })
    }

    async fn create(&self, aws: &Aws, context: &Context) -> Result<Outcome, Failure> {
        let mut asked = Map::from_iter([("clusterName".to_owned(), Json::from(self.name.as_str()))]);
        if let Some(providers) = &self.capacity_providers {
            asked.insert("capacityProviders".into(), providers.clone().into());
        }
        if let Some(strategy) = self.strategy() {
            asked.insert("defaultCapacityProviderStrategy".into(), strategy);
        }
        let mut outcome = Outcome::changed(true);
        if context.diff {
            outcome = outcome.diff(whole_diff(Json::Null, Json::Object(asked.clone()), &self.title()));
        }
        if context.check {
            let mut outcome = outcome
                .change(self.change(aws, ChangeAction::Create, None, &Changes::default()))
                .with("cluster", Value::from_json(Json::Object(asked)));
            set_unknown(
                &mut outcome.values,
                "cluster.clusterArn",
                &format!("the {} is created", self.title()),
            );
            return Ok(outcome);
        }
        let answer = aws
            .ecs()
            .create_cluster()
            .cluster_name(&self.name)
            .set_capacity_providers(self.capacity_providers.clone())
            .set_default_capacity_provider_strategy(sdk_strategy(self.strategy().as_ref())?)
            .send()
            .await
            .explain("ecs:CreateCluster")?;
        let created = answer.cluster.as_ref();
        let outcome = outcome.change(self.change(aws, ChangeAction::Create, created, &Changes::default()));
        Ok(outcome.with("cluster", json_value(created)))
    }

    async fn update(&self, aws: &Aws, cluster: &Cluster, context: &Context) -> Result<Outcome, Failure> {
        let current = shape::to_json(cluster);
        let providers = self.wanted_providers(cluster);
        let strategy = self.wanted_strategy(&current, &providers);
        let mut changes = Changes::default();
        if self.capacity_providers.is_none() && self.capacity_provider_strategy.is_none() {
            return Ok(Outcome::changed(false).with("cluster", Value::from_json(current)));
        }
        changes.compare("capacityProviders", &providers, &current["capacityProviders"]);
        changes.compare(
            "defaultCapacityProviderStrategy",
            &strategy,
            &current["defaultCapacityProviderStrategy"],
        );
        let mut outcome = Outcome::changed(!changes.is_empty());
        if !changes.is_empty() {
            outcome = outcome.change(self.change(aws, ChangeAction::Modify, Some(cluster), &changes));
        }
        if context.diff && !changes.is_empty() {
            outcome = outcome.diff(changes.diff(&self.title()));
        }
        if changes.is_empty() || context.check {
            return Ok(outcome.with("cluster", Value::from_json(current)));
        }
        let texts = |list: &Json| -> Vec<String> {
            list.as_array().into_iter().flatten().filter_map(|p| p.as_str().map(str::to_owned)).collect()
        };
        let answer = aws
            .ecs()
            .put_cluster_capacity_providers()
            .cluster(&self.name)
            .set_capacity_providers(Some(texts(&providers)))
            .set_default_capacity_provider_strategy(Some(sdk_strategy(Some(&strategy))?.unwrap_or_default()))
            .send()
            .await
            .explain("ecs:PutClusterCapacityProviders")?;
        Ok(outcome.with("cluster", json_value(answer.cluster.as_ref())))
    }

    /// Returns the desired providers. The current ones are kept if none are listed or if they are not purged.
    fn wanted_providers(&self, cluster: &Cluster) -> Json {
        let mut wanted = self.capacity_providers.clone().unwrap_or_default();
        if !self.purge_capacity_providers || self.capacity_providers.is_none() {
            let kept = cluster.capacity_providers().iter().filter(|p| !wanted.contains(p)).cloned();
            wanted.extend(kept.collect::<Vec<_>>());
        }
        wanted.into()
    }

    /// Returns the desired default strategy. Items of providers that are removed are dropped.
    fn wanted_strategy(&self, current: &Json, providers: &Json) -> Json {
        let current = current["defaultCapacityProviderStrategy"].as_array().cloned().unwrap_or_default();
        let mut wanted = match self.strategy() {
            Some(Json::Array(wanted)) => wanted,
            _ => Vec::new(),
        };
        if !self.purge_capacity_providers || self.capacity_provider_strategy.is_none() {
            let known = |c: &Json| wanted.iter().any(|w| w["capacityProvider"] == c["capacityProvider"]);
            let provided =
                |c: &Json| providers.as_array().is_some_and(|all| all.contains(&c["capacityProvider"]));
            let kept: Vec<Json> = current.into_iter().filter(|c| !known(c) && provided(c)).collect();
            wanted.extend(kept);
        }
        wanted.into()
    }

    async fn delete(&self, aws: &Aws, cluster: &Cluster, context: &Context) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::changed(true)
            .with("cluster", json_value(Some(cluster)))
            .change(self.change(aws, ChangeAction::Delete, Some(cluster), &Changes::default()));
        if context.diff {
            outcome = outcome.diff(whole_diff(shape::to_json(cluster), Json::Null, &self.title()));
        }
        if !context.check {
            aws.ecs().delete_cluster().cluster(&self.name).send().await.explain("ecs:DeleteCluster")?;
        }
        Ok(outcome)
    }

    async fn wait_for_instances(
        &self,
        aws: &Aws,
        existing: Option<Cluster>,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let Some(cluster) = existing else {
            return Err(Failure::new(format!("the {} does not exist", self.title()))
                .with_help("Check `name` and `region`."));
        };
        let has_instances = |c: &Cluster| c.registered_container_instances_count() > 0;
        if has_instances(&cluster) || context.check {
            return Ok(Outcome::changed(false).with("cluster", json_value(Some(&cluster))));
        }
        let interval = wait::seconds(Some(self.delay), 10);
        let looks = u32::try_from(self.repeat).unwrap_or(1).max(1);
        let found = wait::until(context, interval.saturating_mul(looks - 1), interval, || async {
            Ok(self.find(aws).await?.filter(has_instances))
        });
        match found.await? {
            Some(cluster) => Ok(Outcome::changed(false).with("cluster", json_value(Some(&cluster)))),
            None => Err(Failure::new(format!(
                "the {} still has no container instances after {looks} attempts, {} seconds apart",
                self.title(),
                self.delay
            ))
            .with_help("Check the ECS agent of the instances and its ECS_CLUSTER setting.")),
        }
    }
}

fn exists(cluster: &Cluster) -> bool {
    cluster.status() != Some("INACTIVE")
}

fn json_value(cluster: Option<&Cluster>) -> Value {
    cluster.map_or(Value::Null, |c| Value::from_json(shape::to_json(c)))
}

fn sdk_strategy(strategy: Option<&Json>) -> Result<Option<Vec<CapacityProviderStrategyItem>>, Error> {
    strategy
        .and_then(Json::as_array)
        .map(|all| {
            shape::list_from_json(
                all,
                "capacity_provider_strategy",
                CapacityProviderStrategyItem::deserialize,
            )
        })
        .transpose()
}
