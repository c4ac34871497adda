//! The connections of a run: each is opened when a task first needs it, and closed at the end of the run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use playbook_api::sync::lock;
use playbook_api::{Error, ErrorKind, Failure};

use super::docker::Docker;
use super::ending;
use super::launch::Shell;
use super::local::Local;
use super::peer::Peer;
use super::remote::Remote;
use super::ssh::{self, Ssh};
use super::{Connection, Deploy, Login, Target};

/// The connections of a run.
#[derive(Default)]
pub struct Connections {
    all: Mutex<HashMap<(Login, Deploy), Arc<Remote>>>,
    ssh: OnceLock<Arc<ssh::Common>>,
    me: OnceLock<Option<String>>,
}

impl Connections {
    /// Returns the connection to a target. Nothing is sent yet.
    pub fn open(&self, target: &Target) -> Result<Arc<dyn Connection>, Failure> {
        let login = &target.login;
        let plugin = login.plugin.rsplit('.').next().unwrap_or_default();
        let other = target.r#become.clone();
        if plugin == "local" {
            let other = other.filter(|other| self.me() != Some(&other.user));
            if other.is_none() {
                return Ok(Arc::new(Local));
            }
            let remote = self.remote(Login { plugin: "local".into(), ..Login::default() }, target, || {
                Ok(Box::new(Shell))
            })?;
            return Ok(Arc::new(remote.user(other)));
        }
        let remote = match plugin {
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => {
                self.remote(login.clone(), target, || Ok(Box::new(Ssh::new(target, self.ssh()?))))?
            }
            "docker" => self.remote(login.clone(), target, || Ok(Box::new(Docker::new(login))))?,
            _ => {
                let error = Error::new(format!("the connection plugin '{}' was not found", login.plugin));
                let error = error
                    .with_kind(ErrorKind::Connection)
                    .with_help("The connections are ssh, local and docker.");
                return Err(error.into());
            }
        };
        Ok(Arc::new(remote.user(other)))
    }

    fn remote(
        &self,
        login: Login,
        target: &Target,
        make: impl FnOnce() -> Result<Box<dyn super::launch::Launcher>, Error>,
    ) -> Result<Arc<Remote>, Failure> {
        let mut all = lock(&self.all);
        let key = (login, target.deploy.clone());
        if let Some(remote) = all.get(&key) {
            return Ok(remote.clone());
        }
        let peer = Peer::new(&target.host, key.0.timeout);
        let remote = Arc::new(Remote::new(make()?, peer, target.deploy.clone()));
        ending::register(&remote);
        all.insert(key, remote.clone());
        Ok(remote)
    }

    /// Ends a user's idle helper at a target, since an account that is in use cannot be removed.
    pub fn release(&self, target: &Target, user: &str) {
        let here = target.login.plugin.rsplit('.').next() == Some("local");
        let leads_there = |login: &Login| match here {
            true => login.plugin == "local",
            false => *login == target.login,
        };
        let all = lock(&self.all);
        let remotes = all.iter().filter(|((login, _), _)| leads_there(login));
        let remotes: Vec<Arc<Remote>> = remotes.map(|(_, remote)| remote.clone()).collect();
        drop(all);
        remotes.iter().for_each(|remote| remote.release(user));
    }

    /// Returns the shared state of all ssh connections: the directory of their sockets.
    fn ssh(&self) -> Result<Arc<ssh::Common>, Error> {
        if let Some(common) = self.ssh.get() {
            return Ok(common.clone());
        }
        let common = Arc::new(ssh::Common::new()?);
        let common = self.ssh.get_or_init(|| common);
        ending::register_ssh(common);
        Ok(common.clone())
    }

    /// Returns the name of the user who runs this process.
    fn me(&self) -> Option<&String> {
        let find =
            || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
        self.me.get_or_init(find).as_ref()
    }

    /// Ends all connections, several at a time, since each has to wait for a response.
    pub fn close(&self) {
        let all: Vec<Arc<Remote>> = lock(&self.all).drain().map(|(_, remote)| remote).collect();
        let queue = Mutex::new(all.into_iter());
        let next = || lock(&queue).next();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let Some(first) = next() else { break };
                let _ = std::thread::Builder::new().spawn_scoped(scope, move || {
                    first.close();
                    while let Some(remote) = next() {
                        remote.close();
                    }
                });
            }
        });
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.close();
    }
}
