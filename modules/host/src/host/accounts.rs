//! The host's users and groups.
//!
//! The C library would query the sources that `/etc/nsswitch.conf` names, such as a directory service. The helper is
//! linked statically and cannot load their libraries: it reads the files itself, and runs `getent` for users and
//! groups that are not in them.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User};
use playbook_api::Context;
use playbook_api::sync::lock;

use crate::host::Host;
use crate::host::process::{Program, which};

/// The time for which results of `getent` are cached, since a task may need the owners of a thousand files at once.
const REMEMBERED: Duration = Duration::from_secs(20);

pub(crate) fn user(name: &str) -> Option<User> {
    if cfg!(target_feature = "crt-static") {
        return entry("passwd", name, 0).and_then(|line| read_user(&line));
    }
    User::from_name(name).ok().flatten()
}

pub(crate) fn user_of(uid: Uid) -> Option<User> {
    if cfg!(target_feature = "crt-static") {
        return entry("passwd", &uid.to_string(), 2).and_then(|line| read_user(&line));
    }
    User::from_uid(uid).ok().flatten()
}

pub(crate) fn group(name: &str) -> Option<Group> {
    if cfg!(target_feature = "crt-static") {
        return entry("group", name, 0).and_then(|line| read_group(&line));
    }
    Group::from_name(name).ok().flatten()
}

pub(crate) fn group_of(gid: Gid) -> Option<Group> {
    if cfg!(target_feature = "crt-static") {
        return entry("group", &gid.to_string(), 2).and_then(|line| read_group(&line));
    }
    Group::from_gid(gid).ok().flatten()
}

/// Returns the line of a database with this key in a field.
fn entry(database: &str, key: &str, field: usize) -> Option<String> {
    let text = std::fs::read(format!("/etc/{database}")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().filter(|line| !line.starts_with(['+', '-', '#']));
    let found = lines.find(|line| line.split(':').nth(field) == Some(key)).map(str::to_owned);
    // getent interprets a number as an ID and not as a name.
    found.or_else(|| if field == 0 && is_number(key) { None } else { ask(database, key) })
}

fn is_number(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit())
}

fn ask(database: &str, key: &str) -> Option<String> {
    type Answers = HashMap<(String, String), (Instant, Option<String>)>;
    static ANSWERS: Mutex<Option<Answers>> = Mutex::new(None);
    let mut answers = lock(&ANSWERS);
    let answers = answers.get_or_insert_default();
    answers.retain(|_, (when, _)| when.elapsed() < REMEMBERED);
    let (_, answer) = answers.entry((database.to_owned(), key.to_owned())).or_insert_with(|| {
        let context = Context::default();
        let program = which("getent", &context).map(|getent| {
            Program::new([getent.to_string_lossy().into_owned()])
                .args([database, key])
                .timeout(Duration::from_secs(30))
        });
        let said = program.and_then(|program| Host::new(&context).try_query(&program).ok());
        let said = said.filter(|said| said.success()).map(|said| said.out());
        (Instant::now(), said.and_then(|said| said.lines().next().map(str::to_owned)))
    });
    answer.clone()
}

fn read_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let mut next = || fields.next();
    let (name, password, uid, gid) = (next()?, next()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (gecos, home, shell) =
        (next().unwrap_or_default(), next().unwrap_or_default(), next().unwrap_or_default());
    Some(User {
        name: name.to_owned(),
        passwd: CString::new(password).ok()?,
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        gecos: CString::new(gecos).ok()?,
        dir: home.into(),
        shell: shell.into(),
    })
}

fn read_group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let (name, password, gid) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
    let members = fields.next().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    Some(Group {
        name: name.to_owned(),
        passwd: CString::new(password).ok()?,
        gid: Gid::from_raw(gid),
        mem: members.map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_read_as_the_library_reads_them() {
        let line = entry("passwd", "root", 0).unwrap();
        assert_eq!(read_user(&line), User::from_name("root").unwrap());
        assert_eq!(entry("passwd", "0", 2), Some(line));
        let line = entry("group", "root", 0).unwrap();
        assert_eq!(read_group(&line), Group::from_name("root").unwrap());
        assert!(entry("passwd", "no such user", 0).is_none() && entry("group", "4294967294", 2).is_none());
    }
}
