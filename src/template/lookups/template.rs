//! `template`: a rendered template file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use playbook_api::{Error, ErrorKind, Map, Place, Value, map};

use super::terms::Options;
use super::{Lookup, search};
use crate::document;
use crate::jinja::Syntax;
use crate::template::datetime::DateTime;
use crate::template::{Renderer, lazy};

pub const LOOKUPS: &[Lookup] = &[Lookup { name: "template", run: template }];

fn template(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let syntax = syntax(call)?;
    terms.iter().map(|term| one(&term.to_text(), &syntax, call, renderer)).collect()
}

/// Delimiters as the options ask for them.
fn syntax(call: &Map) -> Result<Syntax, Error> {
    let options = Options { lookup: "template", inline: Map::default(), call };
    let mut syntax = Syntax::file().with_delimiters(|name| options.text(name));
    syntax.trim_blocks = options.flag("trim_blocks", true)?;
    syntax.lstrip_blocks = options.flag("lstrip_blocks", false)?;
    Ok(syntax)
}

fn one(name: &str, syntax: &Syntax, call: &Map, renderer: &Renderer) -> Result<Value, Error> {
    let path = search::find(renderer, "templates", name).ok_or_else(|| {
        Error::new(format!("the template file {name} could not be found for the lookup"))
            .kind(ErrorKind::NotFound)
    })?;
    let file = path.to_string_lossy().into_owned();
    let text = document::read(&path, &renderer.environment.keyring)?;
    let place = Place::new(file.clone(), 1, 1);
    let (body, syntax) = syntax.header(&text).map_err(|message| Error::new(message).at(&place))?;

    let mut variables = file_variables(&path);
    if renderer.scope.get("ansible_managed").is_none() {
        variables
            .insert("ansible_managed".into(), super::config::settings()?.ansible_managed.as_str().into());
    }
    if let Some(Value::Map(given)) = call.get("template_vars") {
        variables.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if let Some(folder) = path.parent() {
        let own = Value::from(folder.to_string_lossy().into_owned());
        let others =
            search::folders(renderer).into_iter().map(|folder| folder.to_string_lossy().into_owned().into());
        variables.insert("ansible_search_path".into(), std::iter::once(own).chain(others).collect());
    }
    let rendered = renderer.with(variables).render_text(body, &place, syntax)?;
    Renderer::finalize(lazy::force_deep(&rendered)?)
}

/// What a template knows about its own file.
fn file_variables(path: &Path) -> Map {
    let name = path.to_string_lossy();
    let metadata = fs::metadata(path).ok();
    let uid = metadata.as_ref().map(MetadataExt::uid).unwrap_or_default();
    let owner = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    let owner = owner.map_or_else(|| uid.to_string(), |user| user.name);
    let modified = metadata.and_then(|metadata| metadata.modified().ok());
    let modified = modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
    let modified = modified.map(|time| time.to_zoned(jiff::tz::TimeZone::system()).datetime());
    let host = nix::unistd::gethostname().map(|host| host.to_string_lossy().into_owned());
    map! {
        "template_host" => host.unwrap_or_default(),
        "template_path" => &*name,
        "template_fullpath" => &*name,
        "template_mtime" => modified.map(DateTime::value),
        "template_uid" => owner,
        "template_run_date" => DateTime::value(jiff::Zoned::now().datetime()),
        "template_destpath" => Value::Null,
    }
}
