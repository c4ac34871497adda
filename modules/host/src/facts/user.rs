//! The user that modules run as, and the environment.

use nix::unistd::{getegid, geteuid, getgid, getuid};
use playbook_api::{Context, Map};

use super::put;
use crate::host::accounts;

pub(crate) fn collect(_: &Context, facts: &mut Map) {
    let uid = getuid();
    put(facts, "real_user_id", uid.as_raw());
    put(facts, "effective_user_id", geteuid().as_raw());
    put(facts, "real_group_id", getgid().as_raw());
    put(facts, "effective_group_id", getegid().as_raw());
    let Some(user) = accounts::user_of(geteuid()) else { return };
    put(facts, "user_id", user.name);
    put(facts, "user_uid", user.uid.as_raw());
    put(facts, "user_gid", user.gid.as_raw());
    put(facts, "user_gecos", user.gecos.to_string_lossy().into_owned());
    put(facts, "user_dir", user.dir.display().to_string());
    put(facts, "user_shell", user.shell.display().to_string());
}

pub(crate) fn environment(context: &Context, facts: &mut Map) {
    let own = std::env::vars_os()
        .map(|(n, v)| (n.to_string_lossy().into_owned(), v.to_string_lossy().into_owned()));
    let all: Map =
        own.chain(context.environment.iter().cloned()).map(|(n, v)| (n.into(), v.into())).collect();
    put(facts, "env", all);
}
