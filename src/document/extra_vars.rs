//! `-e`: variables on the command line.

use std::path::Path;

use indexmap::IndexMap;
use playbook_api::{Error, Place, Value};

use super::{Entry, Kind, Loaded, Node, Trust, load, parse, parse_kv};
use crate::vault::Keyring;

const COMMAND_LINE: &str = "<command line>";

/// Reads one `-e` argument: `key=value` text, JSON, YAML, or `@file`.
pub fn extra_vars(argument: &str, keyring: &Keyring) -> Result<Loaded, Error> {
    let place = Place::file_only(COMMAND_LINE);
    let loaded = match argument.as_bytes().first() {
        Some(b'@') => load(Path::new(&argument[1..]), Trust::Templates, keyring).map_err(|e| e.at(&place))?,
        Some(b'/' | b'.') => {
            return Err(
                Error::new(format!("Please prepend extra_vars filename '{argument}' with '@'")).at(&place)
            );
        }
        Some(b'[' | b'{') => parse(argument, COMMAND_LINE, Trust::Templates)?,
        _ => {
            let pairs = parse_kv(argument, &place, Trust::Templates, false)?;
            let entry = |node: Node| Entry { key: place.clone(), node };
            let map: IndexMap<Value, Entry> = pairs.into_iter().map(|(k, v)| (k.into(), entry(v))).collect();
            Loaded { node: Node::new(place.clone(), Kind::Map(map)), warnings: Vec::new() }
        }
    };
    if loaded.node.as_map().is_none() {
        return Err(Error::new(format!(
            "Invalid extra vars data supplied. '{argument}' could not be made into a dictionary"
        ))
        .at(loaded.node.place())
        .with_help("Give name=value, a JSON or YAML map, or @file."));
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_map() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("v.yml");
        std::fs::write(&file, "a: 1\n").unwrap();
        let read = |text: &str| extra_vars(text, &Keyring::default()).map(|l| l.node.raw().to_string());
        assert_eq!(read("a=1 b='x y'").unwrap(), "{'a': '1', 'b': 'x y'}");
        assert_eq!(read("{\"a\": 1}").unwrap(), "{'a': 1}");
        assert_eq!(read("{a: yes}").unwrap(), "{'a': True}");
        assert_eq!(read(&format!("@{}", file.display())).unwrap(), "{'a': 1}");
        assert!(read("[1]").unwrap_err().to_string().contains("dictionary"));
        assert!(read("./v.yml").unwrap_err().to_string().contains("'@'"));
        assert!(read("@/nowhere.yml").is_err());
    }
}
