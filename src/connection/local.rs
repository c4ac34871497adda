//! The controller itself: modules run inside this process, or as somebody else in a process of their own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use playbook_api::{Arguments, Context, Error, Failure, ModuleEntry, Outcome, Run};

use super::{Connection, Target, helper};

/// The controller itself.
#[derive(Debug)]
pub struct Local {
    /// Who to become, where that is not who we are.
    other: Option<Target>,
}

impl Local {
    pub fn new(target: &Target) -> Self {
        let me = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|u| u.name);
        let other = target.r#become && me.as_deref() != Some(&target.become_user);
        Local { other: other.then(|| target.clone()) }
    }
}

impl Connection for Local {
    fn run(
        &self,
        module: &Arc<ModuleEntry>,
        args: &Arguments,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let Run::Host(run) = module.run else {
            return Err(Failure::new("this module runs in the controller"));
        };
        match &self.other {
            None => run(module, args, context),
            Some(target) => as_other(target, &helper::request(module, args, context)?),
        }
    }
}

/// Runs a request as another user.
fn as_other(target: &Target, request: &[u8]) -> Result<Outcome, Failure> {
    let program = Program::reachable()?;
    let path = program.path.to_string_lossy().into_owned();
    let mut command = match target.become_method.rsplit('.').next().unwrap_or_default() {
        "sudo" => {
            let mut sudo = Command::new(target.become_exe.as_deref().unwrap_or("sudo"));
            match &target.become_password {
                Some(_) => sudo.args(["-H", "-S", "-p", ""]),
                None => sudo.args(["-H", "-n"]),
            };
            sudo.args(["-u", &target.become_user, "--", &path, helper::ARGUMENT]);
            sudo
        }
        "su" => {
            let mut su = Command::new(target.become_exe.as_deref().unwrap_or("su"));
            su.args([&target.become_user, "-c", &format!("'{path}' {}", helper::ARGUMENT)]);
            su
        }
        other => {
            return Err(Failure::new(format!("the become method '{other}' is not available yet"))
                .help("become methods are sudo and su"));
        }
    };
    let mut child = command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| Failure::new(format!("cannot start {}: {e}", target.become_method)))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that refuses the password closes its input; what it says about that is read below.
        let password = target.become_password.as_ref().map(|p| format!("{p}\n")).unwrap_or_default();
        let _ = input.write_all(password.as_bytes()).and_then(|()| input.write_all(request));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() || output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        let message = match said.trim() {
            said if said.contains("password is required") => "Missing sudo password".to_owned(),
            said if said.contains("incorrect password") || said.contains("Sorry, try again") => {
                "Incorrect sudo password".to_owned()
            }
            said => format!("cannot become '{}': {said}", target.become_user),
        };
        return Err(Failure::new(message));
    }
    helper::reply(&output.stdout)
}

/// This program, where another user can start it.
struct Program {
    path: PathBuf,
    /// Holds a copy, for as long as it is needed.
    _copy: Option<tempfile::TempDir>,
}

impl Program {
    fn reachable() -> Result<Program, Error> {
        let path = std::env::current_exe()?;
        let open = |p: &Path| p.metadata().is_ok_and(|m| m.permissions().mode() & 0o001 != 0);
        if path.ancestors().all(open) {
            return Ok(Program { path, _copy: None });
        }
        let folder = tempfile::Builder::new()
            .prefix("playbook-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()?;
        let copy = folder.path().join("playbook");
        std::fs::copy(&path, &copy)?;
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755))?;
        Ok(Program { path: copy, _copy: Some(folder) })
    }
}
