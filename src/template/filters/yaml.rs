//! Writes YAML as PyYAML does with libyaml, and reads it as Ansible does.

use playbook_api::{Error, Map, Value};

use super::arguments::{flag, given, integer};
use crate::document::{self, DumpOptions, Loaded, ScalarStyle, Trust};
use crate::template::undefined::Sealed;
use crate::template::{Call, Deprecation, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("to_yaml", to_yaml).taking_vaults(),
    Function::new("to_nice_yaml", to_nice_yaml).taking_vaults(),
    Function::new("from_yaml", from_yaml),
    Function::new("from_yaml_all", from_yaml_all),
];

/// Reads the options of `yaml.dump` from a call, and writes its input.
fn dump(call: &mut Call, flow: Option<bool>, indent: i64) -> Result<Value, Error> {
    let positional = std::mem::take(&mut call.args).into_iter().next();
    let indent = match given(call.take("indent").or(positional)) {
        Some(indent) => integer(&indent)?,
        None => indent,
    };
    let width = given(call.take("width")).map_or(Ok(80), |width| match width {
        Value::Float(n) if n.is_infinite() => Ok(-1),
        width => integer(&width),
    })?;
    let flow = match call.take("default_flow_style") {
        None => flow,
        Some(Value::Null) => None,
        Some(flow) => Some(flow.is_true()),
    };
    let style = given(call.take("default_style")).map(|style| style.to_text().into_owned());
    let behavior = given(call.take("vault_behavior"));
    let vaults = match call.renderer.release().to_yaml_has_vault_behavior() {
        true => Vaults::named(behavior.as_ref())?,
        false => Vaults::KeepEncrypted,
    };
    let input = vaults.applied(&call.input)?;
    let options = DumpOptions {
        flow,
        style: match style.as_deref() {
            Some("'") => ScalarStyle::SingleQuoted,
            Some("\"") => ScalarStyle::DoubleQuoted,
            Some("|") => ScalarStyle::Literal,
            Some(">") => ScalarStyle::Folded,
            _ => ScalarStyle::Any,
        },
        canonical: flag(&call.take("canonical"), false),
        indent: i32::try_from(indent).unwrap_or(2),
        width: i32::try_from(width).unwrap_or(-1),
        explicit_start: flag(&call.take("explicit_start"), false),
        explicit_end: flag(&call.take("explicit_end"), false),
        sort_keys: flag(&call.take("sort_keys"), true),
        blocks: false,
        lossy: false,
        envelope,
    };
    for ignored in ["line_break", "version", "tags", "encoding"] {
        call.take(ignored);
    }
    if let Some(unknown) = call.kwargs.keys().next() {
        return Err(Error::new(match unknown.as_str() {
            Some("allow_unicode") => {
                "yaml.dump() got multiple values for keyword argument 'allow_unicode'".to_owned()
            }
            _ => format!("dump_all() got an unexpected keyword argument '{unknown}'"),
        }));
    }
    document::dump(&input, &options).map(Value::from)
}

/// What becomes of values that came out of vaults.
#[derive(Clone, Copy, PartialEq)]
enum Vaults {
    Decrypt,
    KeepEncrypted,
    Redact,
    Fail,
}

impl Vaults {
    const ALL: [(&str, Vaults); 4] = [
        ("decrypt", Vaults::Decrypt),
        ("keep_encrypted", Vaults::KeepEncrypted),
        ("redact", Vaults::Redact),
        ("fail", Vaults::Fail),
    ];

    fn named(behavior: Option<&Value>) -> Result<Vaults, Error> {
        let Some(behavior) = behavior else { return Ok(Vaults::Decrypt) };
        let found = Vaults::ALL.iter().find(|(name, _)| behavior.as_str() == Some(name));
        found.map(|(_, vaults)| *vaults).ok_or_else(|| {
            let names = Vaults::ALL.map(|(name, _)| name).join(", ");
            Error::new(format!("The vault parameter must be one of {names}"))
        })
    }

    /// Returns a value with what these make of the vaults in it.
    fn applied(self, value: &Value) -> Result<Value, Error> {
        if self == Vaults::KeepEncrypted {
            return Ok(value.clone());
        }
        Ok(match value {
            Value::List(items) | Value::Tuple(items) => {
                items.iter().map(|item| self.applied(item)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Value::Map(map) => {
                let members = map.iter().map(|(key, value)| Ok((key.clone(), self.applied(value)?)));
                Value::from(members.collect::<Result<Map, Error>>()?)
            }
            value if envelope(value).is_none() => value.clone(),
            _ if self == Vaults::Redact => "<redacted>".into(),
            _ if self == Vaults::Fail => return Err(Error::new("Attempted to dump a vaulted value")),
            Value::Str(text) => Value::secret(text.to_string()),
            closed => match Sealed::of(closed) {
                Some(sealed) => return Err(sealed.error.clone()),
                None => closed.clone(),
            },
        })
    }
}

fn to_yaml(call: &mut Call) -> Result<Value, Error> {
    dump(call, None, 2)
}

fn to_nice_yaml(call: &mut Call) -> Result<Value, Error> {
    dump(call, Some(false), 4)
}

/// Returns the text of a filter's input; other values are returned unchanged.
fn source(call: &mut Call) -> Result<Result<String, Value>, Error> {
    let [] = call.bind([], 0)?;
    Ok(match call.input() {
        Value::Str(text) => Ok(text.to_string()),
        other => Err(other),
    })
}

const NAME: &str = "<unicode string>";

/// Returns the document, or an error if it has a duplicate key and the setting makes that an error.
fn accept(call: &Call, loaded: Loaded) -> Result<document::Node, Error> {
    let policy = &call.renderer.environment.options.duplicate_dict_key;
    loaded.accept(policy, |warning| call.renderer.warn(warning))
}

fn warn_of_type(call: &Call, filter: &str, input: &Value) {
    let name = input.type_name();
    let what = Error::new(format!("The {filter} filter ignored non-string input of type '{name}'."));
    call.renderer.scope.deprecate(Deprecation::new(what, "2.23"));
}

fn from_yaml(call: &mut Call) -> Result<Value, Error> {
    match source(call)? {
        Ok(text) => {
            let loaded = document::parse(&text, NAME, Trust::Text)?;
            Ok(accept(call, loaded)?.raw())
        }
        Err(other) => {
            warn_of_type(call, "from_yaml", &other);
            Ok(other)
        }
    }
}

fn from_yaml_all(call: &mut Call) -> Result<Value, Error> {
    match source(call)? {
        Ok(text) => {
            let (nodes, warnings) = document::parse_all(&text, NAME, Trust::Text)?;
            let all = nodes.iter().map(document::Node::raw).collect();
            if let Some(node) = nodes.into_iter().next() {
                accept(call, Loaded { node, warnings })?;
            }
            Ok(all)
        }
        Err(Value::Null) => Ok(Vec::<Value>::new().into()),
        Err(other) => {
            warn_of_type(call, "from_yaml_all", &other);
            Ok(other)
        }
    }
}

/// Returns the vault that a value came from, or is still in.
fn envelope(value: &Value) -> Option<&str> {
    document::envelope(value).or_else(|| Sealed::of(value).map(|sealed| &*sealed.envelope))
}
