//! `ansible_host`, `ansible_connection` and similar variables if they are not set: what the task connects with.

use playbook_api::{Error, Value};

use super::HostScope;
use crate::playbook::Keyword;
use crate::template::{Renderer, Scope};

/// The names that [`get`] answers.
const NAMES: &[&str] = &[
    "ansible_host",
    "ansible_ssh_host",
    "ansible_user",
    "ansible_ssh_user",
    "ansible_port",
    "ansible_ssh_port",
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_become_password",
    "ansible_become_pass",
    "ansible_connection",
];

/// Returns what a task connects with, if the name asks for that. Other names for the same come first, then the task's
/// keyword, then the command line and the settings.
pub(crate) fn get(scope: &HostScope, name: &str) -> Option<Result<Value, Error>> {
    let task = scope.task()?;
    if let Some(delegate) = scope.delegate()
        && NAMES.contains(&name)
    {
        return delegate.scope.get(name);
    }
    let defaults = &scope.base.run.connection;
    let (alias, keyword, default) = match name {
        "ansible_host" => ("ansible_ssh_host", None, Some(scope.host.name.clone().into())),
        "ansible_ssh_host" => ("ansible_host", None, Some(scope.host.name.clone().into())),
        "ansible_user" => ("ansible_ssh_user", Some(Keyword::RemoteUser), defaults.user.clone()),
        "ansible_ssh_user" => ("ansible_user", Some(Keyword::RemoteUser), defaults.user.clone()),
        "ansible_port" => ("ansible_ssh_port", Some(Keyword::Port), defaults.port.clone()),
        "ansible_ssh_port" => ("ansible_port", Some(Keyword::Port), defaults.port.clone()),
        "ansible_password" => ("ansible_ssh_pass", None, defaults.password.clone()),
        "ansible_ssh_pass" => ("ansible_password", None, defaults.password.clone()),
        "ansible_become_password" => ("ansible_become_pass", None, defaults.become_password.clone()),
        "ansible_become_pass" => ("ansible_become_password", None, defaults.become_password.clone()),
        "ansible_connection" => ("", Some(Keyword::Connection), Some(defaults.plugin.clone())),
        _ => return None,
    };
    if let Some(value) = scope.written(alias) {
        return Some(value);
    }
    if let Some(node) = keyword.and_then(|keyword| task.keyword(keyword)) {
        match scope.renderer().value(node).and_then(Renderer::finalize) {
            Ok(Value::Null | Value::Omit) => {}
            value => return Some(value),
        }
    }
    let implicit = name == "ansible_connection"
        && scope.base.inventory().host(&scope.host.name).is_some_and(|host| host.implicit);
    if implicit { Some(Ok("local".into())) } else { default.map(Ok) }
}

/// How tasks connect by default.
#[derive(Clone, Debug, Default)]
pub struct ConnectionDefaults {
    /// The connection plugin.
    pub plugin: Value,
    /// The user to connect as.
    pub user: Option<Value>,
    /// The port to connect to.
    pub port: Option<Value>,
    /// The password to connect with.
    pub password: Option<Value>,
    /// The password to become another user.
    pub become_password: Option<Value>,
}
