//! The arguments that a module accepts, derived from the JSON Schema of its argument struct.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::Value as Json;

/// The type of an argument, as in Ansible.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgType {
    /// Text.
    Str,
    /// Text that names a file on the host: `~` and `$VAR` are expanded there.
    Path,
    /// A boolean, in any of the forms that Ansible accepts.
    Bool,
    /// An integer.
    Int,
    /// A floating-point number.
    Float,
    /// A list of elements of one type.
    List(Box<ArgType>),
    /// A dict, with the options that it may hold, or with any.
    Dict(Option<Box<Spec>>),
    /// Any value, unconverted.
    Raw,
}

impl ArgType {
    /// Returns the name that Ansible gives the type.
    pub fn name(&self) -> &'static str {
        match self {
            ArgType::Str => "str",
            ArgType::Path => "path",
            ArgType::Bool => "bool",
            ArgType::Int => "int",
            ArgType::Float => "float",
            ArgType::List(_) => "list",
            ArgType::Dict(_) => "dict",
            ArgType::Raw => "raw",
        }
    }
}

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionSpec {
    /// The description, from the doc comment of the field.
    pub description: String,
    /// The type.
    pub kind: ArgType,
    /// Other names.
    pub aliases: Vec<String>,
    /// Whether the argument must be given.
    pub required: bool,
    /// The default value, if there is one.
    pub default: Option<Json>,
    /// The accepted values; empty if any value is accepted.
    pub choices: Vec<String>,
    /// Whether the value is always a secret.
    pub no_log: bool,
}

/// All arguments of a module, and the rules between them.
///
/// The rules are extensions of the struct's schema, in Ansible's own words:
/// `#[schemars(extend("mutually_exclusive" = [["content", "src"]], "required_if" = [["state", "link", ["src"]]]))]`;
/// an argument's aliases are one of its field: `#[schemars(extend("aliases" = ["dest", "name"]))]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// The description, from the doc comment of the struct.
    pub description: String,
    /// The arguments, by name.
    pub options: IndexMap<String, OptionSpec>,
    /// Groups of which at most one argument may be given.
    pub mutually_exclusive: Vec<Vec<String>>,
    /// Groups of which all arguments or none must be given.
    pub required_together: Vec<Vec<String>>,
    /// Groups of which at least one argument must be given.
    pub required_one_of: Vec<Vec<String>>,
    /// Conditional requirements: (argument, value, the arguments that it then requires, whether one of them is enough).
    pub required_if: Vec<(String, Json, Vec<String>, bool)>,
    /// Arguments that require others: (argument, the arguments that it requires).
    pub required_by: Vec<(String, Vec<String>)>,
    /// Whether arguments of any other name are accepted unconverted, because the struct has a flattened map.
    pub open: bool,
    /// What rejects arguments of other names.
    pub checked_by: CheckedBy,
}

/// What rejects arguments that a spec does not have. Each words the error differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckedBy {
    /// A module: `Unsupported parameters for (NAME) module: …`.
    #[default]
    Module,
    /// A probe of `wait_until`, whose options these are.
    Probe,
    /// An action of ansible-core, itself: `Invalid options for NAME: …`.
    Action,
    /// An action of ansible-core that looks at one option after the other: `… is not a valid option in NAME`.
    ActionByOption,
}

impl Spec {
    /// Returns the spec of an argument struct.
    pub fn of<T: JsonSchema>() -> Spec {
        Spec::from_schema(&Spec::schema::<T>())
    }

    /// Returns the JSON Schema, for editors.
    pub fn schema<T: JsonSchema>() -> Json {
        let settings =
            schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<T>().into()
    }

    fn from_schema(schema: &Json) -> Spec {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .map_or_else(Vec::new, |a| a.iter().filter_map(Json::as_str).collect());
        let mut options = IndexMap::new();
        if let Some(properties) = schema["properties"].as_object() {
            for (name, property) in properties {
                let mut option = OptionSpec::from_schema(property);
                option.required = required.contains(&name.as_str());
                options.insert(name.clone(), option);
            }
        }
        let groups = |key: &str| -> Vec<Vec<String>> {
            schema[key].as_array().map_or_else(Vec::new, |groups| groups.iter().map(strings).collect())
        };
        let rows = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
        Spec {
            description: text(&schema["description"]),
            options,
            mutually_exclusive: groups("mutually_exclusive"),
            required_together: groups("required_together"),
            required_one_of: groups("required_one_of"),
            required_if: rows("required_if")
                .iter()
                .map(|row| {
                    (text(&row[0]), row[1].clone(), strings(&row[2]), row[3].as_bool().unwrap_or(false))
                })
                .collect(),
            required_by: rows("required_by").iter().map(|row| (text(&row[0]), strings(&row[1]))).collect(),
            open: schema["additionalProperties"] == true,
            checked_by: CheckedBy::default(),
        }
    }

    /// Finds an argument by name or alias.
    pub fn find(&self, name: &str) -> Option<(&str, &OptionSpec)> {
        if let Some((name, option)) = self.options.get_key_value(name) {
            return Some((name, option));
        }
        self.options.iter().find(|(_, o)| o.aliases.iter().any(|a| a == name)).map(|(n, o)| (n.as_str(), o))
    }
}

impl OptionSpec {
    fn from_schema(schema: &Json) -> OptionSpec {
        let inner = without_null(schema);
        let mut choices = strings(&inner["enum"]);
        let mut described = String::new();
        if let Some(variants) = inner["oneOf"].as_array() {
            for variant in variants {
                choices.extend(variant["const"].as_str().map(str::to_owned));
                choices.extend(strings(&variant["enum"]));
                if let (Some(name), Some(what)) = (variant["const"].as_str(), variant["description"].as_str())
                {
                    described.push_str(&format!("\n`{name}`: {what}"));
                }
            }
        }
        OptionSpec {
            description: text(&schema["description"]) + &described,
            kind: kind(inner),
            aliases: strings(&schema["aliases"]),
            required: false,
            default: schema.get("default").filter(|d| !d.is_null()).cloned(),
            choices,
            no_log: schema["no_log"].as_bool().unwrap_or(inner["format"] == "password"),
        }
    }
}

/// The schema inside `Option<T>`.
fn without_null(schema: &Json) -> &Json {
    match schema["anyOf"].as_array() {
        Some(any) => any.iter().find(|s| s["type"] != "null").unwrap_or(schema),
        None => schema,
    }
}

fn kind(schema: &Json) -> ArgType {
    let name = match &schema["type"] {
        Json::Array(names) => names.iter().find(|n| *n != "null").unwrap_or(&Json::Null),
        name => name,
    };
    let schema_of_items = schema.get("items").map(without_null);
    match (name.as_str(), schema["format"].as_str()) {
        (_, Some("raw")) => ArgType::Raw,
        (Some("string"), Some("path")) => ArgType::Path,
        (Some("string"), _) => ArgType::Str,
        (Some("boolean"), _) => ArgType::Bool,
        (Some("integer"), _) => ArgType::Int,
        (Some("number"), _) => ArgType::Float,
        (Some("array"), _) => ArgType::List(Box::new(schema_of_items.map_or(ArgType::Raw, kind))),
        (Some("object"), _) if schema["properties"].is_object() => {
            ArgType::Dict(Some(Box::new(Spec::from_schema(schema))))
        }
        (Some("object"), _) => ArgType::Dict(None),
        _ if schema["oneOf"].is_array() || schema["enum"].is_array() => ArgType::Str,
        _ => ArgType::Raw,
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn strings(json: &Json) -> Vec<String> {
    json.as_array()
        .map_or_else(Vec::new, |a| a.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
}
