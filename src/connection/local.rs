//! The controller itself: modules run inside this process.

use std::sync::Arc;

use playbook_api::{Arguments, Context, Error, Failure, ModuleEntry, Outcome, Run};

use super::{Connection, Target};

/// The controller itself.
#[derive(Debug)]
pub struct Local;

impl Local {
    /// Becoming somebody else takes another process; becoming who we are takes nothing.
    pub fn new(target: &Target) -> Result<Self, Error> {
        let me = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|u| u.name);
        if target.r#become && me.as_deref() != Some(&target.become_user) {
            let message = format!("cannot become '{}' on a local connection yet", target.become_user);
            return Err(Error::new(message).help("run playbook as that user"));
        }
        Ok(Local)
    }
}

impl Connection for Local {
    fn run(
        &self,
        module: &Arc<ModuleEntry>,
        args: &Arguments,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        match module.run {
            Run::Host(run) => run(module, args, context),
            Run::Controller(_) => Err(Failure::new("this module runs in the controller")),
        }
    }
}
