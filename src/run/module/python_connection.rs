//! Connections of plugins in Python: the plugin runs commands, by which the engine runs its own modules.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::{Error, Failure};
use serde_json::{Value as Json, json};

use crate::connection::{Commands, Connection, OneShot, Output, Target};
use crate::foreign::{Kind, Python, nothing_to_ask, wire};
use crate::run::call::state::Shared;
use crate::run::call::{ActionCall, keyword};
use crate::template::Scope;

/// The connections that this program has itself.
const OWN: [&str; 8] = [
    "local",
    "ssh",
    "smart",
    "paramiko",
    "paramiko_ssh",
    "docker",
    "community.docker.docker",
    "community.general.docker",
];

/// Returns the connection to where a task acts, if a plugin in Python makes it.
pub(crate) fn open(call: &ActionCall, target: &Target) -> Result<Option<Arc<dyn Connection>>, Failure> {
    let shared = &call.item.play.shared;
    let plugin = &*target.login.plugin;
    let short = plugin.strip_prefix("ansible.builtin.").or(plugin.strip_prefix("ansible.legacy."));
    let own = OWN.contains(&short.unwrap_or(plugin));
    let found =
        if short.is_some() && own { None } else { shared.foreign.find(Kind::Connection, plugin, &[])? };
    let found = found.filter(|found| found.path.is_some() && !(own && plugin.contains('.')));
    if found.is_none() && (own || shared.foreign.python().is_err()) {
        return Ok(None);
    }
    let name = found.map_or_else(|| plugin.to_owned(), |found| found.name);
    let python = shared.foreign.python_for("connection plugin", &name)?;
    let (task, renderer) = (call.item.task, call.renderer());
    let keywords = keyword::of(task, &renderer);
    let other = target.r#become.as_ref();
    let body = json!({
        "plugin": name,
        "host": target.host,
        "password": target.login.password.as_ref().map(|password| &password.0),
        "become_password": other.and_then(|other| other.password.as_ref()).map(|password| &password.0),
        "timeout": target.login.timeout.as_secs().max(shared.settings.timeout),
        "task": {
            "name": &*call.item.info.name,
            "action": &*task.action.name,
            "connection": name,
            "check_mode": call.check,
            "diff": call.diff,
            "remote_user": keywords.remote_user()?,
            "port": keywords.port()?.and_then(|port| u16::try_from(port).ok()),
            "become": other.is_some(),
            "become_user": other.map(|other| &other.user),
            "become_method": other.map(|other| &other.method),
            "become_exe": other.and_then(|other| other.exe.as_ref()),
            "become_flags": other.and_then(|other| other.flags.as_ref()),
        },
    });
    let scope = call.scope.of_target();
    let mut serve = |what: &str, body: Json| match what {
        "variables" => {
            Ok(scope.all_written(body.as_str()).map_or(Json::Null, |all| wire::encode(&all.into())))
        }
        _ => nothing_to_ask(what, body),
    };
    let id = python.ask("open connection", body, &mut serve)?;
    let commands = Plugin { shared: shared.clone(), id };
    Ok(Some(Arc::new(OneShot::new(Box::new(commands), target.deploy.clone()))))
}

/// A connection of a plugin in the Python process.
struct Plugin {
    shared: Arc<Shared>,
    id: Json,
}

impl Plugin {
    fn python(&self) -> Result<&Python, Error> {
        self.shared.foreign.python()
    }
}

impl Commands for Plugin {
    fn run(&self, command: &str, input: &[u8], r#become: bool) -> Result<Output, Failure> {
        let body =
            json!({ "id": self.id, "command": command, "input": STANDARD.encode(input), "become": r#become });
        let done = self.python()?.ask("connection command", body, &mut nothing_to_ask)?;
        let bytes = |name: &str| {
            let text = done.get(name).and_then(Json::as_str).unwrap_or_default();
            STANDARD.decode(text).map_err(|e| Error::new(format!("the connection plugin's {name}: {e}")))
        };
        let code = done.get("rc").and_then(Json::as_i64).unwrap_or_default();
        Ok(Output {
            code: i32::try_from(code).unwrap_or(-1),
            stdout: bytes("stdout")?,
            stderr: bytes("stderr")?,
        })
    }

    fn put(&self, content: &[u8], path: &str) -> Result<(), Failure> {
        let body = json!({ "id": self.id, "path": path, "content": STANDARD.encode(content) });
        self.python()?.ask("connection file", body, &mut nothing_to_ask)?;
        Ok(())
    }

    fn close(&self) {
        // Nothing can be done about a plugin that fails to close its connection.
        let _ = self
            .python()
            .and_then(|python| python.ask("close connection", self.id.clone(), &mut nothing_to_ask));
    }
}
