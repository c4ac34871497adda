//! The only door for YAML and JSON: values that know their file, line and column.
//!
//! ```
//! use playbook::document::{Trust, parse};
//! let loaded = parse("port: 0644\ngreeting: 'hello {{ name }}'\n", "vars.yml", Trust::Templates)?;
//! assert_eq!(loaded.node.get("port").map(|n| n.raw()), Some(420.into()));
//! assert_eq!(loaded.node.get("greeting").map(|n| n.place().to_string()), Some("vars.yml:2:11".into()));
//! # Ok::<(), playbook_api::Error>(())
//! ```

mod dump;
mod events;
mod excerpt;
mod extra_vars;
mod fault;
mod json;
mod key_value;
mod layout;
mod node;
mod scalar;
mod tag;
mod write;
mod yaml;

use std::path::Path;

use playbook_api::{Error, ErrorKind, Place, Value};

pub use dump::{DumpOptions, dump, envelope};
pub use excerpt::source_excerpt;
pub use extra_vars::extra_vars;
pub use key_value::{parse_kv, split_args, unquote};
pub use libyaml_safer::ScalarStyle;
pub use node::{Entry, Kind, Node, Trust, VaultText};
pub use scalar::{plain_scalar, timestamp};
pub use write::to_yaml;

use crate::paths::{self, absolute, cannot_read};
use crate::vault::{self, Keyring};

/// What a document said, and what its reader should be told about it (each with place and help).
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The document.
    pub node: Node,
    /// The warnings, each with its place and help.
    pub warnings: Vec<Error>,
}

impl Loaded {
    /// The document, where what is odd about it (a key that is there twice) is what `duplicate_dict_key` says: an
    /// `error`, a warning or nothing.
    pub fn accept(self, policy: &str, mut warn: impl FnMut(Error)) -> Result<Node, Error> {
        let (deprecations, oddities): (Vec<Error>, Vec<Error>) =
            self.warnings.into_iter().partition(|warning| warning.kind() == ErrorKind::Deprecation);
        deprecations.into_iter().for_each(&mut warn);
        let mut oddities = oddities.into_iter();
        match policy {
            "ignore" => {}
            "error" => {
                if let Some(warning) = oddities.next() {
                    let message = fault::sentence(warning.message().trim_end_matches('.'));
                    return Err(Error::new(message).with_kind(ErrorKind::Syntax).at_opt(warning.place()));
                }
            }
            _ => oddities.for_each(warn),
        }
        Ok(self.node)
    }
}

/// Deeper documents are rejected, so that values can be walked recursively.
const DEEPEST: usize = 200;

/// Reads a file of one YAML or JSON document; a whole-file vault is opened first. An empty file is null.
pub fn load(path: &Path, trust: Trust, keyring: &Keyring) -> Result<Loaded, Error> {
    let path = absolute(path);
    let text = read(&path, keyring)?;
    parse(&text, &path.to_string_lossy(), trust)
}

/// The text of a file, decrypted if it is a vault.
pub fn read(path: &Path, keyring: &Keyring) -> Result<String, Error> {
    let place = Place::file_only(path.to_string_lossy());
    let bytes = paths::read(path).map_err(|e| cannot_read(path, e))?;
    let bytes = if vault::is_envelope(&bytes) {
        let envelope = String::from_utf8_lossy(&bytes);
        keyring.open(&envelope).map_err(|e| e.at(&place))?
    } else {
        bytes
    };
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        Error::new(format!("'{}' is not UTF-8 text", path.display()))
            .with_kind(ErrorKind::Syntax)
            .at(&Place::new(place.file.clone(), line as u32, 0))
            .with_help("Save the file as UTF-8.")
    })
}

/// Reads text of one document. `file_name` is what places will say.
pub fn parse(text: &str, file_name: &str, trust: Trust) -> Result<Loaded, Error> {
    if let Some(node) = json::parse(text, file_name, trust) {
        return Ok(Loaded { node, warnings: Vec::new() });
    }
    let (mut nodes, warnings) = yaml::parse(text, file_name, trust)?;
    if nodes.len() > 1 {
        return Err(Error::new("expected a single document, but found another")
            .with_kind(ErrorKind::Syntax)
            .at(nodes[1].place())
            .with_help("Remove the second '---'; one file holds one document here."));
    }
    let node = nodes.pop().unwrap_or_else(|| Node::value(Place::new(file_name, 1, 1), Value::Null));
    Ok(Loaded { node, warnings })
}

/// Reads text of any number of documents.
pub fn parse_all(text: &str, file_name: &str, trust: Trust) -> Result<(Vec<Node>, Vec<Error>), Error> {
    yaml::parse(text, file_name, trust)
}

/// Reads text that must be JSON, as `json.loads` does.
pub fn parse_json(text: &str, file_name: &str, trust: Trust) -> Result<Node, Error> {
    json::read(text, file_name, trust)
}
