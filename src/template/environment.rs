//! Renders templates and resolves values of documents in a scope.

use std::path::PathBuf;
use std::sync::Arc;

use playbook_api::notes::Property;
use playbook_api::{Context, Error, Map, Place, Text, Value};

use super::lazy::{self, Lazy};
use super::scope::Overlay;
use super::undefined::Sealed;
use super::{Deprecation, Scope, budget, eval, origin, undefined, untrusted};
use crate::document::{Kind, Node, VaultText};
use crate::jinja::{Expression, Syntax, Template};
use crate::settings::Release;
use crate::vault::Keyring;

/// The state that all templates of a run share.
pub struct Environment {
    /// The registry of the crates' lookups and filters, the redactor, and the environment of processes.
    pub context: Context,
    /// The vault passwords.
    pub keyring: Arc<Keyring>,
    /// The settings of templates that exist in ansible-core 2.19.
    pub options: Options,
}

/// The truth of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on what only a change will tell, which check mode does not make. The text says which change.
    Unknown(Arc<str>),
}

impl Truth {
    /// Returns whether the condition is known to hold.
    pub fn holds(&self) -> bool {
        *self == Truth::True
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Truth {
        if truth { Truth::True } else { Truth::False }
    }
}

/// The settings that templates depend on.
#[derive(Clone, Debug)]
pub struct Options {
    /// The last directory in which files are searched. Those of the project, role and playbook come from the scope
    /// (`ansible_search_path`).
    pub base_dir: PathBuf,
    /// `allow_broken_conditionals`.
    pub allow_broken_conditionals: bool,
    /// The treatment of a duplicate key in a map (`duplicate_dict_key`): `warn`, `error` or `ignore`.
    pub duplicate_dict_key: String,
    /// The release of ansible-core whose behavior templates have.
    pub release: Release,
    /// The maximum number of steps of a render: items of loops, calls, and pieces of text.
    pub work: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base_dir: PathBuf::new(),
            allow_broken_conditionals: false,
            duplicate_dict_key: "warn".into(),
            release: Release::default(),
            work: budget::WORK,
        }
    }
}

impl Environment {
    /// Returns an environment variable: that of the run, or else that of this process.
    pub fn variable(&self, name: &str) -> Option<String> {
        let given = self.context.environment.iter().rev().find(|(key, _)| key == name);
        given.map(|(_, value)| value.clone()).or_else(|| crate::settings::variable(name))
    }
}

/// An environment and a scope, which a render needs. It is cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    /// The state that all templates of a run share.
    pub environment: Arc<Environment>,
    /// The scope in which names are looked up.
    pub scope: Arc<dyn Scope>,
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renderer")
    }
}

impl Renderer {
    /// Returns a renderer with more variables that precede those of the scope. The templates of the scope's variables
    /// see them too.
    pub fn with(&self, variables: Map) -> Renderer {
        let scope = match self.scope.with(&variables) {
            Some(scope) => scope,
            None => Arc::new(Overlay { variables, scope: self.scope.clone() }),
        };
        Renderer { environment: self.environment.clone(), scope }
    }

    /// Returns the release of ansible-core whose behavior templates have.
    pub fn release(&self) -> Release {
        self.environment.options.release
    }

    /// Prints a warning about a template.
    pub fn warn(&self, warning: Error) {
        self.scope.warn(warning);
    }

    /// Renders a template to its native value: `"{{ x }}"` keeps the type of x, and everything else is text. The
    /// result may hold values that are not computed yet; [`Renderer::finalize`] computes them.
    pub fn render(&self, template: &Template) -> Result<Value, Error> {
        budget::spend(budget::RENDER)?;
        eval::render(self, template)
    }

    /// Renders text as a template, as the `template` lookup and module do with the text of a file.
    pub fn render_text(&self, text: &str, place: &Place, syntax: Syntax) -> Result<Value, Error> {
        self.render(&Template::with_syntax(text, place.clone(), syntax))
    }

    /// Evaluates a bare expression.
    pub fn evaluate(&self, expression: &Expression) -> Result<Value, Error> {
        eval::evaluate(self, expression, false)
    }

    /// Evaluates a condition. Its result must be a boolean, unless broken conditionals are allowed.
    pub fn condition(&self, expression: &Expression) -> Result<Truth, Error> {
        if expression.source().trim().is_empty() {
            return self.blank_condition(expression.place());
        }
        let value = eval::evaluate(self, expression, true);
        let value = value.and_then(Self::finalize);
        let value = value.map_err(|error| match error.is_undefined() {
            true => {
                let place = error.place().cloned();
                error
                    .context("Error while evaluating conditional")
                    .at_opt(place.as_ref())
                    .at(expression.place())
            }
            false => error.at(expression.place()),
        })?;
        let origin = || origin::of(expression.program().ok()?, &*self.scope);
        self.truth(&value, expression.place(), origin)
    }

    /// Returns the result of an empty condition, which is an error unless broken conditionals are allowed.
    pub fn blank_condition(&self, place: &Place) -> Result<Truth, Error> {
        if self.environment.options.allow_broken_conditionals {
            self.broken("Empty conditional expression was evaluated as True.".into(), place);
            return Ok(Truth::True);
        }
        Err(Error::new("Empty conditional expressions are not allowed.").at(place))
    }

    /// Records a condition that is valid only because of a setting.
    fn broken(&self, message: String, place: &Place) {
        const HELP: &str = "Broken conditionals are currently allowed because the `ALLOW_BROKEN_CONDITIONALS` \
                            configuration option is enabled.";
        let what = Error::new(message).at(place).with_help(HELP);
        self.scope.deprecate(Deprecation::new(what, "2.23"));
    }

    /// Returns the truth of the value of a condition that is written as a template.
    pub fn truth_of(&self, value: &Value, node: &Node) -> Result<Truth, Error> {
        let origin = || match node.kind() {
            Kind::Template(template) => origin::of(template.program().ok()?, &*self.scope),
            _ => None,
        };
        self.truth(value, node.place(), origin)
    }

    /// Returns the truth of a condition's value, which must be a boolean unless broken conditionals are allowed.
    fn truth(
        &self,
        value: &Value,
        place: &Place,
        origin: impl FnOnce() -> Option<Place>,
    ) -> Result<Truth, Error> {
        match value {
            Value::Bool(result) => Ok((*result).into()),
            Value::Unknown(reason) => Ok(Truth::Unknown(reason.clone())),
            other => {
                let truth = if other.is_true() { "True" } else { "False" };
                let name = other.type_name();
                let origin = origin().unwrap_or_else(|| place.clone());
                let message = format!(
                    "Conditional result ({truth}) was derived from value of type '{name}' at '{origin}'. \
                     Conditionals must have a boolean result."
                );
                if self.environment.options.allow_broken_conditionals {
                    self.broken(message, place);
                    return Ok(other.is_true().into());
                }
                let help = "Compare it (`x == …`, `x is truthy`) or convert it to a boolean (`x | bool`).";
                Err(Error::new(message).at(place).with_help(help))
            }
        }
    }

    /// Resolves a value of a document in this scope. Scalars and templates are rendered immediately, members of lists
    /// and maps when they are used.
    pub fn resolve(&self, node: &Node) -> Result<Value, Error> {
        if let Some(value) = node.plain() {
            return Ok(value.clone());
        }
        let member = |node: &Node| match node.plain() {
            Some(value) => value.clone(),
            None => Lazy::value(node.clone(), self.clone()),
        };
        match node.kind() {
            Kind::Value(value) => Ok(value.clone()),
            Kind::Template(template) => self.render(template),
            Kind::Vault(_) => self.open(node),
            Kind::List(items) => Ok(items.iter().map(member).collect()),
            Kind::Map(map) => {
                let map = map.iter().map(|(key, entry)| (key.clone(), member(&entry.node)));
                Ok(Value::from(map.collect::<Map>()))
            }
        }
    }

    /// Decrypts an inline vault. Its content is data, and never a template.
    fn open(&self, node: &Node) -> Result<Value, Error> {
        let opened = node.opened(|envelope| {
            let bytes = self.environment.keyring.open(envelope)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Error::new("the vault holds bytes that are not UTF-8 text"))?;
            self.environment.context.redactor.register(&text);
            Ok(text.into())
        });
        let Kind::Vault(VaultText { envelope }) = node.kind() else { return opened.map(|_| Value::Null) };
        Ok(match opened {
            Ok(text) => Value::Str(Text::secret(text.clone()).with_envelope(envelope.to_string())),
            Err(error) => Sealed::value(error, envelope, node.place()),
        })
    }

    /// Renders a value of a document completely.
    pub fn value(&self, node: &Node) -> Result<Value, Error> {
        if let Some(value) = node.plain() {
            return Self::finalize(value.clone());
        }
        self.resolve(node).and_then(Self::finalize).map_err(|error| error.at(node.place()))
    }

    /// Computes everything inside a value that is not computed yet, drops omitted members, and fails if anything is
    /// undefined. The arguments of modules are finalized here.
    pub fn finalize(value: Value) -> Result<Value, Error> {
        budget::measure(&value)?;
        let value = budget::within(budget::WORK, || Self::finalize_with(value, true))?;
        untrusted::check(&value)?;
        Ok(value)
    }

    /// `strict` fails on values that cannot be stored (a macro, a method); printing uses their names instead.
    pub(super) fn finalize_with(value: Value, strict: bool) -> Result<Value, Error> {
        if is_final(&value) {
            return Ok(value);
        }
        let members = |items: &[Value]| {
            let items = items.iter().map(|item| Self::finalize_with(item.clone(), strict));
            items.collect::<Result<Vec<_>, _>>()
        };
        match value {
            Value::List(items) | Value::Tuple(items) => {
                let items = drop_omitted(members(&items)?);
                Ok(Value::List(items.into()))
            }
            Value::Map(map) => {
                let mut done = Map::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let value = Self::finalize_with(value.clone(), strict)?;
                    if !matches!(value, Value::Omit) {
                        done.insert(key.clone(), value);
                    }
                }
                Ok(Value::from(done))
            }
            Value::Undefined(_) => undefined::check(&value).map(|()| Value::Null),
            Value::Object(ref object) => match lazy::force(&value)? {
                forced if undefined::error(&forced).is_some() => {
                    undefined::check(&forced).map(|()| Value::Null)
                }
                Value::Object(_) => match super::object::behavior(&value).and_then(|b| b.plain()) {
                    Some(plain) => Self::finalize_with(plain, strict),
                    None if !strict => Ok(value),
                    None => {
                        let name = object.type_name();
                        let cause = Error::new(format!("Type '{name}' is unsupported for variable storage"));
                        Err(Error::new("Error rendering template").caused_by(cause))
                    }
                },
                forced => Self::finalize_with(forced, strict),
            },
            other => Ok(other),
        }
    }

    /// Calls a filter by its short or full name.
    pub fn filter(&self, name: &str, input: Value, args: Vec<Value>, kwargs: Map) -> Result<Value, Error> {
        eval::filter(self, name, input, args, kwargs).map(undefined::plain)
    }

    /// Calls a test by its short or full name. The result is a boolean, or an undefined or unknown value.
    pub fn test(&self, name: &str, input: Value, args: Vec<Value>, kwargs: Map) -> Result<Value, Error> {
        eval::test(self, name, input, args, kwargs).map(undefined::plain)
    }

    /// Runs a lookup as `lookup(name, …)` does.
    pub fn lookup(&self, name: &str, terms: Vec<Value>, options: Map) -> Result<Value, Error> {
        eval::lookup(self, name, terms, options).map(undefined::plain)
    }

    /// Calls a macro, function or method.
    pub fn call(&self, callee: &Value, args: Vec<Value>, kwargs: Map) -> Result<Value, Error> {
        eval::call_value(self, callee, args, kwargs).map(undefined::plain)
    }
}

fn drop_omitted(mut items: Vec<Value>) -> Vec<Value> {
    items.retain(|item| !matches!(item, Value::Omit));
    items
}

/// Returns whether finalizing would change nothing.
fn is_final(value: &Value) -> bool {
    match value {
        Value::Tuple(_) | Value::Undefined(_) | Value::Object(_) => false,
        Value::List(items) => items.all(Property::Final, is_final_member),
        Value::Map(map) => map.all(Property::Final, is_final_member),
        _ => true,
    }
}

fn is_final_member(value: &Value) -> bool {
    !matches!(value, Value::Omit) && is_final(value)
}
