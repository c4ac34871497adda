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
