//! Runs action plugins written in Python. The plugin runs in the Python process, and what it does to the host is done
//! here: the modules that it calls, the commands that it runs, and the files that it transfers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::{Arguments, Error, Failure, Map, Outcome, Value, map, reply, result_map};
use serde_json::{Value as Json, json};

use super::names::search;
use super::{asynchronous, external, on_host, target};
use crate::foreign::{Foreign, Found, Kind, nothing_to_ask, wire};
use crate::playbook::Task;
use crate::run::call::{ActionCall, keyword};
use crate::template::Scope;

/// Families of network modules; the actions of each family are one plugin.
const NETWORKS: [&str; 22] = [
    "eos", "nxos", "ios", "iosxr", "junos", "enos", "ce", "vyos", "sros", "dellos9", "dellos10", "dellos6",
    "asa", "aruba", "aireos", "bigip", "ironware", "onyx", "netconf", "exos", "voss", "slxos",
];

/// Returns the action plugin in Python that a task runs, if there is one.
pub fn find(call: &ActionCall) -> Result<Option<Found>, Error> {
    let task = call.item.task;
    let foreign = &call.item.play.shared.foreign;
    let (name, search) = (&*task.action.name, search(task));
    let module = foreign.find(Kind::Module, name, &search)?;
    if let Some(action) = module.and_then(|module| module.action) {
        return Ok(foreign.find(Kind::Action, &action, &[])?.filter(|found| found.path.is_some()));
    }
    if let Some(found) = foreign.find(Kind::Action, name, &search)?.filter(|found| found.path.is_some()) {
        return Ok(Some(found));
    }
    let (collection, short) = match name.rsplit_once('.') {
        Some((collection, short)) => (Some(collection), short),
        None => (None, name),
    };
    let Some(family) = short.split('_').next().filter(|family| NETWORKS.contains(family)) else {
        return Ok(None);
    };
    let name = collection.map_or_else(|| family.to_owned(), |collection| format!("{collection}.{family}"));
    Ok(foreign.find(Kind::Action, &name, &search)?.filter(|found| found.path.is_some()))
}

/// Whether an action plugin runs on one host for all.
pub fn runs_once(foreign: &Foreign, task: &Task) -> bool {
    let found = foreign.find(Kind::Action, &task.action.name, &search(task)).ok().flatten();
    let text = found.and_then(|found| std::fs::read_to_string(found.path?).ok()).unwrap_or_default();
    let mut said = text.lines().filter_map(|line| line.trim().strip_prefix("BYPASS_HOST_LOOP"));
    said.any(|rest| rest.trim().strip_prefix('=').is_some_and(|value| value.trim() == "True"))
}

/// Runs an action plugin.
pub fn run(call: &mut ActionCall, found: &Found) -> Result<Outcome, Failure> {
    let shared = call.item.play.shared.clone();
    let task = call.item.task.clone();
    let python = shared.foreign.python_for("action plugin", &found.name)?;
    let renderer = call.renderer();
    let no_log = keyword::of(&task, &renderer).no_log()?.unwrap_or(false);
    let target = target::of_task(call)?;
    let environment: Map = keyword::environment(&task, &renderer, &|_| {})?
        .into_iter()
        .map(|(name, value)| (Value::from(name), Value::from(value)))
        .collect();
    let body = json!({
        "plugin": found.name,
        "task": {
            "action": &*task.action.name,
            "name": &*call.item.info.name,
            "args": wire::encode(&Value::from(call.args.values.clone())),
            "check_mode": call.check,
            "diff": call.diff,
            "no_log": no_log,
            "async_val": 0,
            "poll": 0,
            "delegate_to": call.delegated().map(|host| host.to_string()),
            "environment": wire::encode(&Value::from(vec![Value::from(environment)])),
            "collections": collections(&task),
        },
        "host": &**call.target(),
        "connection": {
            "plugin": target.login.plugin,
            "become": target.r#become.is_some(),
            "become_user": target.r#become.as_ref().map(|b| &b.user),
            "become_method": target.r#become.as_ref().map(|b| &b.method),
            "remote_user": variable(call, "ansible_user"),
            "address": variable(call, "ansible_host"),
            "port": variable(call, "ansible_port"),
        },
    });
    let waits = asynchronous::waits(call)?;
    let mut has_run_a_module = false;
    let mut serve = |what: &str, body: Json| match what {
        "variables" => {
            let host = body.as_str();
            Ok(call.scope.all_written(host).map_or(Json::Null, |all| wire::encode(&all.into())))
        }
        "module" => {
            has_run_a_module = true;
            called_module(call, &body)
        }
        "execute" => execute(call, &body),
        _ => nothing_to_ask(what, body),
    };
    let answer = python.ask("action", body, &mut serve)?;
    let mut result = wire::decode(answer)?.to_json();
    let flag = |name: &str| result.get(name).is_some_and(|v| Value::from_json(v.clone()).is_true());
    call.hidden |= flag("_ansible_no_log");
    call.verbose |= flag("_ansible_verbose_always");
    match result.as_object_mut() {
        Some(result) => {
            let mut done = reply::outcome(std::mem::take(result));
            let outcome = match &mut done {
                Ok(outcome) => outcome,
                Err(failure) => &mut failure.outcome,
            };
            outcome.warnings.splice(0..0, found.warnings.iter().cloned());
            let has_job = has_run_a_module || outcome.values.contains_key("ansible_job_id");
            // The modules of a plugin have run to their end; one without any has nothing to wait for.
            match done {
                Ok(outcome) if waits && !has_job && !outcome.skipped => {
                    Err(Failure::new("No job id was returned by the async task"))
                }
                done => done,
            }
        }
        None => Err(Failure::new(format!("The action plugin '{}' returned no dictionary", found.name))),
    }
}

/// Returns the collections as a plugin sees them, which include ansible.legacy.
fn collections(task: &Task) -> Vec<String> {
    let mut names: Vec<String> = search(task).iter().map(|name| name.to_string()).collect();
    if !names.is_empty() && !names.iter().any(|n| matches!(n.as_str(), "ansible.builtin" | "ansible.legacy"))
    {
        names.push("ansible.legacy".into());
    }
    names
}

fn variable(call: &ActionCall, name: &str) -> Option<String> {
    call.scope.get(name)?.ok().filter(|v| !v.is_null()).map(|v| v.to_text().into_owned())
}

fn text<'a>(body: &'a Json, name: &str) -> &'a str {
    body.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// Runs a module that the plugin calls.
fn called_module(call: &mut ActionCall, body: &Json) -> Result<Json, Error> {
    let name = text(body, "name").to_owned();
    let values = wire::decode_map(body.get("args").cloned().unwrap_or_default())?;
    let (check, diff) = (call.check, call.diff);
    let flag = |name: &str, now: bool| body.get(name).and_then(Json::as_bool).unwrap_or(now);
    (call.check, call.diff) = (flag("check_mode", check), flag("diff", diff));
    let args = Arguments { values, ..Arguments::default() };
    let done = call.call_module(&name, args);
    (call.check, call.diff) = (check, diff);
    Ok(wire::encode(&result_map::to_map(done).into()))
}

/// Runs a command on the host for the plugin.
fn execute(call: &mut ActionCall, body: &Json) -> Result<Json, Error> {
    let shared = &call.item.play.shared;
    let entry = shared.registry.module(external::MODULE).cloned();
    let entry = entry.ok_or_else(|| Error::new("no module runs commands"))?;
    let shell = shared.settings.executable.clone();
    let mut values = map! { "argv" => vec![shell, "-c".into(), text(body, "command").to_owned()] };
    if let Some(stdin) = body.get("stdin").and_then(Json::as_str) {
        values.insert("stdin".into(), stdin.into());
    }
    match on_host::run(call, &entry, Arguments { values, ..Arguments::default() }) {
        Ok(outcome) => {
            let value = |name: &str| outcome.values.get(name).cloned().unwrap_or_default();
            let encoded = |name: &str| STANDARD.encode(value(name).to_text().as_bytes());
            Ok(json!({
                "rc": value("rc").as_i64().unwrap_or_default(),
                "stdout": encoded("stdout"),
                "stderr": encoded("stderr"),
            }))
        }
        Err(failure) => Err(failure.error),
    }
}
