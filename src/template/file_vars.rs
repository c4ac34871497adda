//! What a template file knows about itself.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use playbook_api::{Map, Value, map};

use super::python::datetime::DateTime;

/// When a file was changed, in the time zone of this machine.
pub fn changed(path: &Path) -> Option<jiff::Zoned> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    Some(jiff::Timestamp::try_from(modified).ok()?.to_zoned(jiff::tz::TimeZone::system()))
}

/// The variables that only a template sees; `destination` is where its text goes.
pub fn file_vars(path: &Path, destination: Value) -> Map {
    let name = path.to_string_lossy();
    let uid = fs::metadata(path).map(|metadata| metadata.uid()).unwrap_or_default();
    let owner = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    let owner = owner.map_or_else(|| uid.to_string(), |user| user.name);
    let host = nix::unistd::gethostname().map(|host| host.to_string_lossy().into_owned());
    map! {
        "template_host" => host.unwrap_or_default(),
        "template_path" => &*name,
        "template_fullpath" => &*name,
        "template_mtime" => changed(path).map(|time| DateTime::value(time.datetime())),
        "template_uid" => owner,
        "template_run_date" => DateTime::value(jiff::Zoned::now().datetime()),
        "template_destpath" => destination,
    }
}
