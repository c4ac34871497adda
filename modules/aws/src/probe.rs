//! What `wait_until` can watch in AWS.

pub mod ecs_service;
pub mod ecs_task;
pub mod rds_instance;
pub mod target_group;

use playbook_api::{Arguments, Context, Error, JsonSchema, Map, Spec, Value};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// A probe's options, checked.
fn parse<T: DeserializeOwned + JsonSchema>(name: &str, options: &Map, context: &Context) -> Result<T, Error> {
    Arguments::from(options.clone()).parse(name, &Spec::of::<T>(), &context.redactor)
}

fn values(name: &str, json: Json) -> Map {
    Map::from_iter([(Value::from(name), Value::from_json(json))])
}

fn default_cluster() -> String {
    "default".into()
}
