//! `csvfile`: a column of the row with a key.

use playbook_api::{Error, ErrorKind, Map, Value};

use super::terms::{self, Options};
use super::{Lookup, files, search};
use crate::template::Renderer;
use crate::template::filters::Codec;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("csvfile", csvfile)];

fn csvfile(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    if terms.is_empty() {
        return Err(Error::new("Search key is required but was not found"));
    }
    let mut found = Vec::new();
    for term in terms {
        let (key, inline) = terms::parse(&term.to_text())?;
        let options = Options { lookup: "csvfile", inline, call };
        options.check(&["file", "col", "keycol", "delimiter", "default", "encoding"])?;
        if key.is_empty() {
            return Err(Error::new("Search key is required but was not found"));
        }
        match cell(&key, &options, renderer)?.or_else(|| options.get("default").cloned()) {
            Some(Value::List(values)) => found.extend(values.iter().cloned()),
            Some(value) => found.push(value),
            None => {}
        }
    }
    Ok(found)
}

fn cell(key: &str, options: &Options, renderer: &Renderer) -> Result<Option<Value>, Error> {
    let column = |name: &str, default: i64| {
        let column = options.integer(name)?.unwrap_or(default);
        usize::try_from(column).map_err(|_| Error::new(format!("{name} must not be negative")))
    };
    let (column, key_column) = (column("col", 1)?, column("keycol", 0)?);
    let delimiter = match options.text("delimiter").as_deref() {
        None | Some("TAB" | "t" | "\\t" | "\t") => b'\t',
        Some(text) => match text.as_bytes() {
            [one] => *one,
            _ => return Err(Error::new("\"delimiter\" must be a 1-character string")),
        },
    };
    let file = options.text("file").unwrap_or_else(|| "ansible.csv".into());
    let path = search::find(renderer, "files", &file).ok_or_else(|| {
        Error::new(format!("csvfile: No such file or directory: '{file}'")).with_kind(ErrorKind::NotFound)
    })?;
    let codec = Codec::find(&options.text("encoding").unwrap_or_else(|| "utf-8".into()))?;
    let text = codec.decode(&files::read(renderer, &path)?.0);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    for row in reader.records() {
        let row = row.map_err(|e| Error::new(format!("{}: {e}", path.display())))?;
        if row.get(key_column) == Some(key) {
            let value = row.get(column).ok_or_else(|| {
                Error::new("list index out of range")
                    .with_help(format!("{} has no column {column} in the row of '{key}'.", path.display()))
            })?;
            return Ok(Some(value.into()));
        }
    }
    Ok(None)
}
