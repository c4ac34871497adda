//! Secrets Manager against an emulator: the module, the lookup and the source.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "this file uses a part of it")]
mod common;

use common::*;
use playbook_api::{Context, Error, Map, Value, map};

fn create(name: &str, json_text: &str) {
    run("secretsmanager_secret", map! { "name" => name, "json_secret" => json(json_text) }, &context());
}

fn lookup(terms: &[&str], options: Map, context: &Context) -> Result<Vec<Value>, Error> {
    let terms: Vec<Value> = terms.iter().map(|t| Value::from(*t)).collect();
    registry().lookup("amazon.aws.secretsmanager_secret").unwrap().run(
        &terms,
        &with_connection(options),
        context,
    )
}

#[test]
fn a_secret_converges_and_goes() {
    let name = unique("app/db");
    let arguments = map! { "name" => name.clone(), "description" => "The database", "tags" => json(r#"{"team": "a"}"#),
    "json_secret" => json(r#"{"username": "app", "password": "correct-horse"}"#) };
    let done = converges("secretsmanager_secret", arguments.clone());
    assert_eq!(at(&done, "secret.name"), Value::from(name.clone()));
    assert!(!at(&done, "secret").to_text().contains("correct-horse"));

    // The same in another order is the same.
    let mut other = arguments.clone();
    other.insert("json_secret".into(), r#"{"password":"correct-horse","username":"app"}"#.into());
    assert!(!run("secretsmanager_secret", other, &context()).changed);

    let mut changed = arguments.clone();
    changed.insert("json_secret".into(), json(r#"{"password": "battery-staple"}"#));
    let mut kept = changed.clone();
    kept.insert("overwrite".into(), false.into());
    assert!(!run("secretsmanager_secret", kept, &context()).changed);
    let done = converges("secretsmanager_secret", changed.clone());
    let diff = done.diff[0].to_value().to_text().into_owned();
    assert!(diff.contains("secret") && !diff.contains("staple"), "{diff}");
    changed.insert("description".into(), "Another".into());
    changed.insert("tags".into(), json(r#"{"team": "b"}"#));
    converges("secretsmanager_secret", changed.clone());
    let policy = r#"{"Version": "2012-10-17", "Statement": []}"#;
    converges("secretsmanager_secret", map! { "name" => name.clone(), "resource_policy" => policy });

    converges("secretsmanager_secret", map! { "name" => name.clone(), "state" => "absent" });
    let error = lookup(&[&name], Map::default(), &context()).unwrap_err();
    assert!(error.message().contains("marked for deletion"), "{error}");
    assert!(lookup(&[&name], map! { "on_deleted" => "skip" }, &context()).unwrap().is_empty());
    // It comes back when it is wanted again.
    assert!(run("secretsmanager_secret", changed.clone(), &context()).changed);
    assert!(!run("secretsmanager_secret", changed, &context()).changed);
    converges("secretsmanager_secret", map! { "name" => name, "state" => "absent", "recovery_window" => 0 });
}

#[test]
fn the_lookup_reads_whole_nested_joined_and_by_path() {
    let name = unique("lookup");
    create(&name, r#"{"username": "app", "password": "correct-horse", "deep": {"key": [1, true]}}"#);
    let context = context();
    let whole = lookup(&[&name], Map::default(), &context).unwrap();
    assert!(whole[0].is_secret() && whole[0].to_text().contains("correct-horse"));
    assert_eq!(context.redactor.text("psql said: correct-horse"), "psql said: ********");

    let nested = |term: &str| lookup(&[&format!("{name}.{term}")], map! { "nested" => true }, &context);
    assert_eq!(nested("password").unwrap(), [Value::from("correct-horse")]);
    assert!(nested("password").unwrap()[0].is_secret());
    assert_eq!(nested("deep.key").unwrap(), [Value::from("[1, True]")]);
    let error = nested("deep.nope.more").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Successfully retrieved secret but there exists no key deep.nope in the secret"
    );
    assert_eq!(error.help(), Some(&*format!("{name}.deep has key.")));
    let error = nested("pasword").unwrap_err();
    assert_eq!(
        error.message(),
        "Successfully retrieved secret but there exists no key pasword in the secret"
    );
    let error = lookup(&[&name], map! { "nested" => true }, &context).unwrap_err();
    assert!(error.message().contains("names no member"), "{error}");

    let second = unique("lookup");
    run("secretsmanager_secret", map! { "name" => second.clone(), "secret" => "tail" }, &context);
    let joined = lookup(&[&name, &second], map! { "join" => true }, &context).unwrap();
    assert!(joined.len() == 1 && joined[0].is_secret() && joined[0].to_text().ends_with("}tail"));

    let directory = unique("directory");
    create(&format!("{directory}/one"), r#"{"a": "1"}"#);
    create(&format!("{directory}/two"), r#"{"b": "2"}"#);
    let all = lookup(&[&directory], map! { "bypath" => true }, &context).unwrap();
    assert_eq!(all[0].as_map().unwrap().len(), 2);
    assert!(all[0].get(&format!("{directory}/one")).unwrap().is_secret());
}

#[test]
fn versions_are_told_apart() {
    let name = unique("versions");
    create(&name, r#"{"v": "one"}"#);
    create(&name, r#"{"v": "two"}"#);
    let stage = |stage: &str| {
        lookup(&[&name], map! { "version_stage" => stage }, &context()).unwrap()[0].to_text().into_owned()
    };
    assert_eq!(stage("AWSCURRENT"), r#"{"v":"two"}"#);
    assert_eq!(stage("AWSPREVIOUS"), r#"{"v":"one"}"#);
}

#[test]
fn a_missing_secret_is_an_error_unless_it_is_skipped() {
    let name = unique("none");
    let error = lookup(&[&name], Map::default(), &context()).unwrap_err();
    assert_eq!(error.message(), format!("Failed to find secret {name} (ResourceNotFound)"));
    assert!(lookup(&[&name], map! { "on_missing" => "skip" }, &context()).unwrap().is_empty());
}

#[test]
fn another_crate_reads_a_secret_as_values() {
    let name = unique("source");
    create(&name, r#"{"username": "app", "password": "correct-horse", "host": "db.internal", "port": 5432}"#);
    let registry = registry();
    let secret = wait_for(registry.secret_sources[0].read(&name, &connection(), &context())).unwrap();
    assert!(secret.get("password").unwrap().is_secret());
    assert_eq!(secret.get("port"), Some(&Value::from(5432)));
    let error = wait_for(registry.secret_sources[0].read("no/such", &connection(), &context())).unwrap_err();
    assert!(error.help().unwrap().contains("us-east-1"), "{error}");
}
