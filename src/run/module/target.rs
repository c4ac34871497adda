//! The host that a task's module acts on, and how it is reached: variables win over keywords, keywords over flags, and
//! those over settings.

use std::sync::Arc;
use std::time::Duration;

use playbook_api::{Error, Value, arguments::to_bool};

use crate::connection::{Become, Deploy, Login, Password, Target};
use crate::run::call::ActionCall;
use crate::run::call::keyword::{self, TaskKeywords};
use crate::settings::Settings;
use crate::template::{Renderer, Scope};
use crate::vars::HostScope;

/// Returns where a task's modules run.
pub fn of_task(call: &ActionCall) -> Result<Target, Error> {
    let host = call.target().clone();
    // A delegated task connects as its delegate does, whatever its own host's variables say. The variables of the
    // task and of what is around it count for both.
    let scope: &HostScope = call.scope.of_target();
    let asker = Asker { call, scope, renderer: call.renderer() };
    let shared = &call.item.play.shared;
    let settings = &shared.settings;
    let plugin = match asker.text(&["ansible_connection"], |keywords| keywords.connection())? {
        Some(plugin) => plugin,
        None if is_implicit_localhost(scope, &host) => "local".into(),
        None => shared.options.connection.clone().unwrap_or_else(|| settings.transport.clone()),
    };
    let login = match plugin.rsplit('.').next() {
        Some("local") => Login::default(),
        Some("docker") => asker.docker(&host)?,
        _ => asker.ssh(&host)?,
    };
    let login = Login { plugin, ..login };
    let r#become = asker.r#become()?;
    let same = |other: &Become| login.user.as_ref() == Some(&other.user) && !settings.become_allow_same_user;
    let directory =
        asker.variable(&["ansible_remote_tmp"])?.map(|directory| directory.to_text().into_owned());
    Ok(Target {
        r#become: r#become.filter(|other| !same(other)),
        host: host.to_string(),
        login,
        deploy: Deploy {
            directory: directory.unwrap_or_else(|| settings.remote_tmp.to_string_lossy().into_owned()),
            keep: !shared.options.no_keep_remote,
        },
    })
}

fn is_implicit_localhost(scope: &HostScope, host: &str) -> bool {
    let inventory = scope.base.inventory();
    matches!(host, "localhost" | "127.0.0.1" | "::1") && inventory.hosts.get(host).is_none_or(|h| h.implicit)
}

fn no_port(port: impl std::fmt::Display) -> Error {
    Error::new(format!("{port} is not a valid port: ports are numbers from 0 to 65535"))
}

/// Reads what a connection needs to know from variables, keywords, flags and settings.
struct Asker<'a> {
    call: &'a ActionCall<'a>,
    scope: &'a HostScope,
    renderer: Renderer,
}

impl Asker<'_> {
    fn settings(&self) -> &Settings {
        &self.call.item.play.shared.settings
    }

    /// Returns the first of these variables that is set.
    fn variable(&self, names: &[&str]) -> Result<Option<Value>, Error> {
        for name in names {
            if let Some(value) = self.scope.get(name).transpose()?.filter(|v| !v.is_null()) {
                return Renderer::finalize(value).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the text of the first of these variables that is set, or else of a keyword.
    fn text(
        &self,
        names: &[&str],
        keyword: impl FnOnce(&TaskKeywords) -> Result<Option<String>, Error>,
    ) -> Result<Option<String>, Error> {
        match self.variable_text(names)? {
            Some(text) => Ok(Some(text)),
            None => keyword(&self.keywords()),
        }
    }

    /// Returns the text of the first of these variables that is set.
    fn variable_text(&self, names: &[&str]) -> Result<Option<String>, Error> {
        Ok(self.variable(names)?.map(|value| value.to_text().into_owned()))
    }

    fn keywords(&self) -> TaskKeywords<'_> {
        keyword::of(self.call.item.task, &self.renderer)
    }

    fn number(&self, names: &[&str]) -> Result<Option<u64>, Error> {
        let Some(value) = self.variable(names)? else { return Ok(None) };
        let number = match &value {
            Value::Str(text) => text.trim().parse().ok(),
            other => other.as_i64().and_then(|n| u64::try_from(n).ok()),
        };
        number.map(Some).ok_or_else(|| {
            let shown = playbook_api::python::repr(&value);
            Error::new(format!("{}: {shown} is not an integer", names[0]))
        })
    }

    fn password(&self, names: &[&str], given: &Option<String>) -> Result<Option<Password>, Error> {
        let Some(password) = self.variable(names)? else {
            return Ok(given.clone().map(Password));
        };
        self.call.item.play.shared.context.redactor.register_value(&password);
        Ok(Some(Password(password.to_text().into_owned())))
    }

    fn ssh(&self, host: &Arc<str>) -> Result<Login, Error> {
        let (settings, options) = (self.settings(), &self.call.item.play.shared.options);
        let port = match self.number(&["ansible_port", "ansible_ssh_port"])? {
            None => match self.keywords().port()? {
                Some(port) => Some(u64::try_from(port).map_err(|_| no_port(port))?),
                None => settings.remote_port,
            },
            port => port,
        };
        let port = port.map(|port| u16::try_from(port).map_err(|_| no_port(port))).transpose()?;
        let words = |text: &str| shlex::split(text).unwrap_or_else(|| vec![text.to_owned()]);
        let or = |names: &[&str], setting: &str| -> Result<Vec<String>, Error> {
            Ok(words(&self.variable_text(names)?.unwrap_or_else(|| setting.to_owned())))
        };
        // The default is about masters that outlive a run and about compression, which costs more than it saves on most
        // networks.
        let by_default = settings.ssh_args == "-C -o ControlMaster=auto -o ControlPersist=60s";
        let ssh_args = if by_default { "" } else { &settings.ssh_args };
        let mut arguments = or(&["ansible_ssh_args"], ssh_args)?;
        arguments.extend(or(&["ansible_ssh_common_args"], &settings.ssh_common_args)?);
        arguments.extend(or(&["ansible_ssh_extra_args"], &settings.ssh_extra_args)?);
        let checking = match self.variable(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])? {
            Some(value) => to_bool(&value).unwrap_or(true),
            None => settings.host_key_checking,
        };
        let key = self.variable_text(&["ansible_private_key_file", "ansible_ssh_private_key_file"])?;
        let key = key.map(crate::paths::expand_home);
        let key = key.or_else(|| options.private_key.clone()).or_else(|| settings.private_key_file.clone());
        let user = self.text(&["ansible_user", "ansible_ssh_user"], |keywords| keywords.remote_user())?;
        let timeout = match self.number(&["ansible_ssh_timeout", "ansible_timeout"])? {
            Some(seconds) => seconds,
            None => options.timeout.or(settings.ssh_timeout).unwrap_or(settings.timeout),
        };
        let retries = self.number(&["ansible_ssh_retries"])?.unwrap_or(settings.ssh_retries);
        Ok(Login {
            plugin: String::new(),
            address: self
                .variable_text(&["ansible_host", "ansible_ssh_host"])?
                .unwrap_or_else(|| host.to_string()),
            port,
            user: user.or_else(|| options.user.clone()).or_else(|| settings.remote_user.clone()),
            password: self.password(
                &["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"],
                &options.connection_password,
            )?,
            private_key: key.map(|key| key.to_string_lossy().into_owned()),
            executable: self
                .variable_text(&["ansible_ssh_executable"])?
                .unwrap_or_else(|| settings.ssh_executable.clone()),
            arguments,
            host_key_checking: checking,
            timeout: Duration::from_secs(timeout),
            retries: u32::try_from(retries).unwrap_or(u32::MAX),
        })
    }

    fn docker(&self, host: &Arc<str>) -> Result<Login, Error> {
        let extra = self.variable_text(&["ansible_docker_extra_args"])?.unwrap_or_default();
        let mut arguments = shlex::split(&extra).unwrap_or_default();
        if let Some(engine) = self.variable_text(&["ansible_docker_docker_host"])? {
            arguments.extend(["--host".to_owned(), engine]);
        }
        let address = match self.variable(&["ansible_host"])?.filter(|a| *a.to_text() != **host) {
            Some(address) => address.to_text().into_owned(),
            None => self.variable_text(&["ansible_docker_host"])?.unwrap_or_else(|| host.to_string()),
        };
        Ok(Login {
            address,
            arguments,
            user: self.text(&["ansible_docker_user", "ansible_user"], |keywords| keywords.remote_user())?,
            executable: self
                .variable_text(&["ansible_docker_executable"])?
                .unwrap_or_else(|| "docker".into()),
            ..Login::default()
        })
    }

    fn r#become(&self) -> Result<Option<Become>, Error> {
        let (settings, options) = (self.settings(), &self.call.item.play.shared.options);
        let wanted = match self.variable(&["ansible_become"])? {
            Some(value) => to_bool(&value).unwrap_or(false),
            None => self.keywords().r#become()?.unwrap_or(options.r#become || settings.become_default),
        };
        if !wanted {
            return Ok(None);
        }
        let method = self
            .text(&["ansible_become_method"], |keywords| keywords.become_method())?
            .or_else(|| options.become_method.clone())
            .unwrap_or_else(|| settings.become_method.clone());
        keyword::check_become_method(&method)?;
        let name = method.rsplit('.').next().unwrap_or_default().to_owned();
        let own = |what: &str| format!("ansible_{name}_{what}");
        let (exe, flags, user) = match name.as_str() {
            "sudo" => (&settings.sudo_exe, &settings.sudo_flags, &settings.sudo_user),
            "su" => (&settings.su_exe, &settings.su_flags, &settings.su_user),
            _ => (&None, &None, &None),
        };
        let or = |given: Option<String>, own: &Option<String>, all: &Option<String>| {
            given.or_else(|| own.clone()).or_else(|| all.clone()).filter(|text| !text.is_empty())
        };
        let given_user = self
            .text(&["ansible_become_user", &own("user")], |keywords| keywords.become_user())?
            .or_else(|| options.become_user.clone());
        let prompts = match self.variable(&["ansible_su_prompt_l10n"])? {
            Some(Value::List(items)) => items.iter().map(|p| p.to_text().into_owned()).collect(),
            Some(text) => text.to_text().split(',').map(|p| p.trim().to_owned()).collect(),
            None => settings.su_prompts.clone(),
        };
        let password = self.password(
            &["ansible_become_password", "ansible_become_pass", &own("pass"), &own("password")],
            &options.become_password.clone().or_else(|| environment_password(&name)),
        )?;
        Ok(Some(Become {
            user: or(given_user, user, &None).unwrap_or_else(|| settings.become_user.clone()),
            exe: or(
                self.text(&["ansible_become_exe", &own("exe")], |keywords| keywords.become_exe())?,
                exe,
                &settings.become_exe,
            ),
            flags: or(
                self.text(&["ansible_become_flags", &own("flags")], |keywords| keywords.become_flags())?,
                flags,
                &settings.become_flags,
            ),
            password,
            prompts,
            method,
        }))
    }
}

/// Returns the become password of the environment for a method.
fn environment_password(method: &str) -> Option<String> {
    let own = format!("ANSIBLE_{}_PASS", method.to_uppercase());
    ["ANSIBLE_BECOME_PASS", &own].iter().find_map(|name| std::env::var(name).ok())
}
