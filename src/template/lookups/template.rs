//! `template`: a rendered template file.

use playbook_api::{Error, ErrorKind, Map, Place, Value};

use super::terms::Options;
use super::{Lookup, search};
use crate::document;
use crate::jinja::Syntax;
use crate::template::file_vars::file_vars;
use crate::template::{Renderer, budget, lazy};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("template", template)];

fn template(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let syntax = syntax(call)?;
    terms.iter().map(|term| one(&term.to_text(), &syntax, call, renderer)).collect()
}

/// Returns the delimiters that the options name.
fn syntax(call: &Map) -> Result<Syntax, Error> {
    let options = Options { lookup: "template", inline: Map::default(), call };
    let mut syntax = Syntax::file().with_delimiters(|name| options.text(name));
    syntax.trim_blocks = options.flag("trim_blocks", true)?;
    syntax.lstrip_blocks = options.flag("lstrip_blocks", false)?;
    Ok(syntax)
}

fn one(name: &str, syntax: &Syntax, call: &Map, renderer: &Renderer) -> Result<Value, Error> {
    let path = search::find(renderer, "templates", name).ok_or_else(|| {
        renderer
            .warn(Error::new(format!("Unable to find '{name}' in expected paths (use -vvvvv to see paths)")));
        Error::new(format!("the template file {name} could not be found for the lookup"))
            .with_kind(ErrorKind::NotFound)
    })?;
    let file = path.to_string_lossy().into_owned();
    let text = document::read(&path, &renderer.environment.keyring)?;
    budget::room(text.len())?;
    let place = Place::new(file.clone(), 1, 1);
    let (body, syntax) = syntax.header(&text).map_err(|message| Error::new(message).at(&place))?;

    let mut variables = file_vars(&path, Value::Null);
    if renderer.scope.get("ansible_managed").is_none() {
        variables
            .insert("ansible_managed".into(), super::config::settings()?.ansible_managed.as_str().into());
    }
    if let Some(Value::Map(given)) = call.get("template_vars") {
        variables.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if let Some(directory) = path.parent() {
        let own = Value::from(directory.to_string_lossy().into_owned());
        let others = search::directories(renderer)
            .into_iter()
            .map(|directory| directory.to_string_lossy().into_owned().into());
        variables.insert("ansible_search_path".into(), std::iter::once(own).chain(others).collect());
    }
    let rendered = renderer.with(variables).render_text(body, &place, syntax)?;
    Renderer::finalize(lazy::force_deep(&rendered)?)
}
