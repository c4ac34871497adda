//! What libuser's programs do in steps of their own: groups and the end of the account.

use playbook_api::Failure;

use super::{User, group, groups_of};
use crate::host::Host;
use crate::host::process::Program;
use crate::modules::user::shadow::Shadow;

/// Puts the user into its groups and sets the account's end, where that differs.
pub(crate) fn finish(user: &User, host: &Host) -> Result<bool, Failure> {
    let mut changed = false;
    let shadow = Shadow::of(&user.name);
    if let Some(expires) = user.expires {
        let wanted = super::day_of(expires);
        if shadow.as_ref().is_some_and(|shadow| shadow.expires != wanted) {
            let day = wanted.unwrap_or(-1).to_string();
            host.run_ok(&Program::new(["lchage", "-E", &day, &user.name]))?;
            changed = true;
        }
    }
    if let Some(wanted) = &user.groups {
        let now = groups_of(&user.name);
        let wanted: Vec<String> =
            wanted.iter().map(|g| group(g).map_or_else(|| g.clone(), |g| g.name)).collect();
        let joined = wanted.iter().filter(|g| !now.contains(g)).map(|g| ("-M", g));
        let left = now.iter().filter(|g| !user.append && !wanted.contains(g)).map(|g| ("-m", g));
        for (flag, group) in joined.chain(left) {
            host.run_ok(&Program::new(["lgroupmod", flag, &user.name, group]))?;
            changed = true;
        }
    }
    Ok(changed)
}
