//! The RDS modules against an emulator.

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use common::*;
use playbook_api::{Map, Value, map};

fn instance(id: &str) -> Map {
    map! { "id" => id, "engine" => "postgres", "engine_version" => "15.4", "db_instance_class" => "db.t4g.micro",
    "allocated_storage" => "20", "master_username" => "app", "password" => "correct-horse", "db_name" => "app",
    "tags" => json(r#"{"team": "a"}"#), "backup_retention_period" => 7, "copy_tags_to_snapshot" => true }
}

fn only(id: &str, name: &str, value: impl Into<Value>) -> Map {
    map! { "id" => id, name => value.into(), "apply_immediately" => true }
}

#[test]
fn an_instance_lives() {
    let id = unique("db");
    let created = converges("rds_instance", instance(&id));
    assert_eq!(at(&created, "db_instance_status"), Value::from("available"));
    assert_eq!(at(&created, "endpoint.port"), Value::from(5432));
    assert_eq!(at(&created, "tags.team"), Value::from("a"));
    let shown =
        format!("{:?}", created.values.values().map(|v| v.to_text().into_owned()).collect::<Vec<_>>());
    assert!(!shown.contains("correct-horse"), "{shown}");

    converges("rds_instance", only(&id, "allocated_storage", 30));
    converges("rds_instance", only(&id, "deletion_protection", true));
    converges("rds_instance", only(&id, "preferred_backup_window", "03:00-04:00"));
    converges("rds_instance", only(&id, "tags", json(r#"{"team": "b"}"#)));
    assert!(!run("rds_instance", only(&id, "engine_version", "15"), &context()).changed);
    assert!(run("rds_instance", only(&id, "engine_version", "16"), &check()).changed);

    let failure = fails("rds_instance", only(&id, "allocated_storage", 10), &context());
    assert!(failure.error.message().contains("cannot shrink from 30 to 10"), "{}", failure.error);

    // A password is set again only when told to, and is never shown.
    let mut password = only(&id, "password", "battery-staple");
    assert!(!run("rds_instance", password.clone(), &context()).changed);
    password.insert("force_update_password".into(), true.into());
    let set = run("rds_instance", password, &context());
    assert!(set.changed && !format!("{:?}", set.diff[0].to_value().to_text()).contains("battery-staple"));

    converges("rds_instance", only(&id, "state", "stopped"));
    converges("rds_instance", only(&id, "state", "started"));
    assert!(run("rds_instance", only(&id, "state", "rebooted"), &context()).changed);

    let info = run("rds_instance_info", map! { "id" => id.clone() }, &context());
    assert_eq!(at(&info, "instances.0.db_instance_identifier"), Value::from(id.clone()));
    assert_eq!(at(&info, "instances.0.tags.team"), Value::from("b"));

    let gone = map! { "id" => id.clone(), "state" => "absent" };
    let failure = fails("rds_instance", gone.clone(), &check());
    assert!(failure.error.message().contains("requires `final_db_snapshot_identifier`"), "{}", failure.error);
    let mut gone = gone;
    gone.insert("skip_final_snapshot".into(), true.into());
    let failure = fails("rds_instance", gone.clone(), &check());
    assert!(failure.error.message().contains("protected from deletion"), "{}", failure.error);
    run("rds_instance", only(&id, "deletion_protection", false), &context());
    converges("rds_instance", gone);
    let none = run("rds_instance_info", map! { "id" => id }, &context());
    assert_eq!(at(&none, "instances").as_list().unwrap().len(), 0);
}

#[test]
fn a_managed_password_is_a_secret_of_rds() {
    let id = unique("db");
    let mut arguments = instance(&id);
    arguments.shift_remove("password");
    arguments.insert("manage_master_user_password".into(), true.into());
    let created = converges("rds_instance", arguments);
    assert!(at(&created, "master_user_secret.secret_arn").to_text().contains(":secret"));
}

#[test]
fn what_a_new_instance_lacks_is_named() {
    let failure = fails("rds_instance", map! { "id" => unique("db"), "engine" => "postgres" }, &check());
    let message = failure.error.message();
    assert!(
        message.contains("creating it requires db_instance_class, master_username, master_user_password"),
        "{message}"
    );
}
