//! YAML's tags, and Ansible's.

const YAML: &str = "tag:yaml.org,2002:";

/// What a tag asks for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tagged {
    None,
    Str,
    Int,
    Float,
    Bool,
    Null,
    Timestamp,
    Binary,
    Set,
    Pairs,
    Seq,
    Map,
    Unsafe,
    Vault,
}

/// Returns the deprecation of a tag: the message, and what to write instead.
pub(super) fn deprecation(tag: &str) -> Option<(String, &'static str)> {
    let (tag, help) = match tag.strip_prefix(YAML).unwrap_or(tag) {
        "omap" => ("!!omap", "Use a standard mapping instead, as key order is always preserved."),
        "pairs" => ("!!pairs", "Use a standard mapping instead."),
        "!vault-encrypted" => ("!vault-encrypted", "Use the `!vault` tag instead."),
        _ => return None,
    };
    Some((format!("Use of the YAML `{tag}` tag is deprecated."), help))
}

impl Tagged {
    pub(super) fn read(tag: Option<&str>) -> Result<Tagged, &str> {
        let Some(full) = tag else { return Ok(Tagged::None) };
        Ok(match full.strip_prefix(YAML).unwrap_or(full) {
            "!" | "" => Tagged::Str,
            "!unsafe" => Tagged::Unsafe,
            "!vault" | "!vault-encrypted" => Tagged::Vault,
            _ if !full.starts_with(YAML) => return Err(full),
            "str" | "python/unicode" => Tagged::Str,
            "int" => Tagged::Int,
            "float" => Tagged::Float,
            "bool" => Tagged::Bool,
            "null" => Tagged::Null,
            "timestamp" => Tagged::Timestamp,
            "binary" => Tagged::Binary,
            "set" => Tagged::Set,
            "omap" | "pairs" => Tagged::Pairs,
            "seq" => Tagged::Seq,
            "map" | "python/dict" => Tagged::Map,
            _ => return Err(full),
        })
    }
}
