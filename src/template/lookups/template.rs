//! `template`: a rendered template file.

use std::fs;

use playbook_api::{Error, ErrorKind, Map, Place, Value};

use super::terms::Options;
use super::{Lookup, search};
use crate::document;
use crate::jinja::Syntax;
use crate::template::{Renderer, lazy};

pub const LOOKUPS: &[Lookup] = &[Lookup { name: "template", run: template }];

fn template(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let syntax = syntax(call)?;
    terms.iter().map(|term| one(&term.to_text(), &syntax, call, renderer)).collect()
}

/// Delimiters as the options ask for them.
fn syntax(call: &Map) -> Result<Syntax, Error> {
    let options = Options { lookup: "template", inline: Map::default(), call };
    let mut syntax = Syntax { escape_backslashes: false, ..Syntax::default() };
    for (name, delimiter) in [
        ("variable_start_string", &mut syntax.variable.0),
        ("variable_end_string", &mut syntax.variable.1),
        ("block_start_string", &mut syntax.block.0),
        ("block_end_string", &mut syntax.block.1),
        ("comment_start_string", &mut syntax.comment.0),
        ("comment_end_string", &mut syntax.comment.1),
    ] {
        if let Some(text) = options.text(name) {
            *delimiter = text;
        }
    }
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

    let mut variables = call.get("template_vars").and_then(Value::as_map).cloned().unwrap_or_default();
    variables.insert("template_path".into(), file.as_str().into());
    variables.insert("template_fullpath".into(), file.as_str().into());
    variables.insert("template_mtime".into(), modified(&path));
    if let Some(folder) = path.parent() {
        let own = Value::from(folder.to_string_lossy().into_owned());
        let others =
            search::folders(renderer).into_iter().map(|folder| folder.to_string_lossy().into_owned().into());
        variables.insert("ansible_search_path".into(), std::iter::once(own).chain(others).collect());
    }
    let rendered = renderer.with(variables).render_text(body, &place, syntax)?;
    Renderer::finalize(lazy::force_deep(&rendered)?)
}

fn modified(path: &std::path::Path) -> Value {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let zoned = modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
    let civil = zoned.map(|time| time.to_zoned(jiff::tz::TimeZone::system()).datetime());
    civil.map_or(Value::Null, crate::template::datetime::DateTime::value)
}
