//! Which host a task's module acts on, and how it is reached.

use playbook_api::{Error, Value, arguments::to_bool};

use super::actions::ActionCall;
use super::keyword;
use crate::connection::Target;
use crate::template::Scope;
use crate::vars::HostScope;

/// Variables win over keywords, keywords over settings.
pub fn of_task(call: &ActionCall) -> Result<Target, Error> {
    let shared = &call.item.play.shared;
    let task = call.item.task;
    let host = call.target().clone();
    let renderer = call.renderer();
    // A task that is delegated connects as its delegate does, whatever its own host's variables say.
    let delegate;
    let scope: &HostScope = match call.delegated {
        Some(host) => {
            delegate = HostScope::new(&call.scope.base, host, None, Default::default());
            &delegate
        }
        None => call.scope,
    };
    let var = |names: &[&str]| -> Result<Option<Value>, Error> {
        for name in names {
            if let Some(value) = scope.get(name).transpose()?.filter(|v| !v.is_null()) {
                return Ok(Some(crate::template::Renderer::finalize(value)?));
            }
        }
        Ok(None)
    };
    let plugin = match var(&["ansible_connection"])? {
        Some(name) => name.to_text().into_owned(),
        None => match keyword::text(task, "connection", &renderer)? {
            Some(name) => name,
            None if is_implicit_localhost(scope, &host) => "local".into(),
            None => shared.options.connection.clone().unwrap_or_else(|| shared.settings.transport.clone()),
        },
    };
    let r#become = match var(&["ansible_become"])? {
        Some(value) => to_bool(&value).unwrap_or(false),
        None => keyword::boolean(task, "become", &renderer)?.unwrap_or(shared.options.r#become),
    };
    let become_user = match var(&["ansible_become_user"])? {
        Some(name) => name.to_text().into_owned(),
        None => keyword::text(task, "become_user", &renderer)?
            .or_else(|| shared.options.become_user.clone())
            .unwrap_or_else(|| shared.settings.become_user.clone()),
    };
    let become_method = match var(&["ansible_become_method"])? {
        Some(name) => name.to_text().into_owned(),
        None => keyword::text(task, "become_method", &renderer)?
            .or_else(|| shared.options.become_method.clone())
            .unwrap_or_else(|| shared.settings.become_method.clone()),
    };
    let become_exe = match var(&["ansible_become_exe", "ansible_sudo_exe"])? {
        Some(exe) => Some(exe.to_text().into_owned()),
        None => keyword::text(task, "become_exe", &renderer)?,
    };
    let password = var(&["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"])?;
    if let Some(password) = &password {
        shared.context.redactor.register_value(password);
    }
    let become_password =
        password.map(|p| p.to_text().into_owned()).or_else(|| shared.options.become_password.clone());
    Ok(Target {
        become_exe,
        become_password,
        host: host.to_string(),
        plugin,
        r#become,
        become_user,
        become_method,
    })
}

fn is_implicit_localhost(scope: &HostScope, host: &str) -> bool {
    let inventory = scope.base.inventory();
    matches!(host, "localhost" | "127.0.0.1" | "::1") && inventory.hosts.get(host).is_none_or(|h| h.implicit)
}
