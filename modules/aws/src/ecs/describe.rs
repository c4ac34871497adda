//! Requests to ECS that several modules use.

use aws_sdk_ecs::types::{Failure, Service, ServiceField, Task, TaskDefinition, TaskField};
use playbook_api::Error;
use serde_json::Value as Json;

use crate::Aws;
use crate::error::Explain;
use crate::shape;

/// Returns a service by name or ARN; `None` if the cluster has none of that name.
pub(crate) async fn service(aws: &Aws, cluster: &str, name: &str) -> Result<Option<Service>, Error> {
    find_service(aws, cluster, name, &[]).await
}

/// Returns a service for check mode. A cluster that does not exist has no services, since an earlier task may be the one
/// that would create it.
pub(crate) async fn service_if_any(aws: &Aws, cluster: &str, name: &str) -> Result<Option<Service>, Error> {
    find_service(aws, cluster, name, &["ClusterNotFoundException"]).await
}

async fn find_service(
    aws: &Aws,
    cluster: &str,
    name: &str,
    missing: &[&str],
) -> Result<Option<Service>, Error> {
    let answer = aws
        .ecs()
        .describe_services()
        .cluster(cluster)
        .services(name)
        .include(ServiceField::Tags)
        .send()
        .await
        .missing("ecs:DescribeServices", missing)?;
    Ok(answer.and_then(|a| a.services.unwrap_or_default().into_iter().next()))
}

/// Returns services by name, and what ECS says of those that it cannot describe. One request describes up to ten.
pub(crate) async fn services(
    aws: &Aws,
    cluster: &str,
    names: &[String],
) -> Result<(Vec<Service>, Vec<Failure>), Error> {
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for some in names.chunks(10) {
        let answer = aws
            .ecs()
            .describe_services()
            .cluster(cluster)
            .set_services(Some(some.to_vec()))
            .include(ServiceField::Tags)
            .send()
            .await
            .explain("ecs:DescribeServices")?;
        services.extend(answer.services.unwrap_or_default());
        failures.extend(answer.failures.unwrap_or_default());
    }
    Ok((services, failures))
}

/// Returns the ARNs of all services of a cluster.
pub(crate) async fn list_services(
    aws: &Aws,
    cluster: &str,
    launch_type: Option<&str>,
) -> Result<Vec<String>, Error> {
    let mut pages = aws
        .ecs()
        .list_services()
        .cluster(cluster)
        .set_launch_type(launch_type.map(Into::into))
        .into_paginator()
        .items()
        .send();
    let mut all = Vec::new();
    while let Some(arn) = pages.next().await {
        all.push(arn.explain("ecs:ListServices")?);
    }
    Ok(all)
}

/// Returns a task definition and its tags, by family (the latest active revision), `family:revision` or ARN.
pub(crate) async fn task_definition(aws: &Aws, name: &str) -> Result<Option<(TaskDefinition, Json)>, Error> {
    let answer = aws
        .ecs()
        .describe_task_definition()
        .task_definition(name)
        .include(aws_sdk_ecs::types::TaskDefinitionField::Tags)
        .send()
        .await;
    // ECS returns ClientException for a definition that does not exist.
    let Some(answer) = answer.missing("ecs:DescribeTaskDefinition", &["ClientException"])? else {
        return Ok(None);
    };
    let tags = shape::list_to_json(answer.tags());
    Ok(answer.task_definition.map(|definition| (definition, tags)))
}

/// Returns tasks by ID or ARN with their tags, without those that ECS no longer lists.
pub(crate) async fn tasks(aws: &Aws, cluster: &str, ids: &[String]) -> Result<Vec<Task>, Error> {
    let mut all = Vec::new();
    for some in ids.chunks(100) {
        let answer = aws
            .ecs()
            .describe_tasks()
            .cluster(cluster)
            .set_tasks(Some(some.to_vec()))
            .include(TaskField::Tags)
            .send()
            .await
            .explain("ecs:DescribeTasks")?;
        all.extend(answer.tasks.unwrap_or_default());
    }
    Ok(all)
}

/// Returns up to ten stopped tasks of a service that ECS still lists.
pub(crate) async fn stopped_tasks(aws: &Aws, cluster: &str, service: &str) -> Result<Vec<Task>, Error> {
    let listed = aws
        .ecs()
        .list_tasks()
        .cluster(cluster)
        .service_name(service)
        .desired_status("STOPPED".into())
        .max_results(10)
        .send()
        .await
        .explain("ecs:ListTasks")?;
    tasks(aws, cluster, listed.task_arns()).await
}

/// Returns whether two names of task definitions mean the same revision. `latest` is the ARN of the family's newest
/// revision, for a name without one.
pub(crate) fn same_definition(asked: &str, current: &str, latest: Option<&str>) -> bool {
    let asked = if has_revision(asked) { asked } else { latest.unwrap_or(asked) };
    asked == current || crate::text::short(asked) == crate::text::short(current)
}

/// Returns whether a name includes a revision, as `family:7` and its ARN do.
pub(crate) fn has_revision(name: &str) -> bool {
    crate::text::short(name).rsplit_once(':').is_some_and(|(_, revision)| revision.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_goes_by_many_names() {
        let arn = "arn:aws:ecs:eu-west-1:123:task-definition/web:7";
        let older = "arn:aws:ecs:eu-west-1:123:task-definition/web:6";
        assert!(same_definition("web:7", arn, None));
        assert!(same_definition(arn, arn, None));
        assert!(same_definition("web", arn, Some(arn)));
        assert!(!same_definition("web", older, Some(arn)));
        assert!(!same_definition("web:6", arn, None));
        assert!(!has_revision("web") && has_revision("web:1") && has_revision(arn));
    }
}
