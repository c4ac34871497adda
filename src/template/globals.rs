//! The global functions of templates.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use playbook_api::{Error, Map, Object, Value, sync};
use rand::Rng;

use super::lazy::force;
use super::object::{Behavior, Native};
use super::python::datetime::DateTime;
use super::python::methods;
use super::{Renderer, eval, purity};

/// The names of the functions.
pub(crate) const FUNCTIONS: [&str; 11] =
    ["range", "dict", "lipsum", "cycler", "joiner", "namespace", "lookup", "query", "q", "now", "undef"];

/// Returns the value of a global name.
pub(super) fn value(renderer: &Renderer, name: &str) -> Option<Value> {
    match name {
        "omit" => return Some(Value::Omit),
        "vars" => return Some(variables(renderer)),
        _ => {}
    }
    let name = FUNCTIONS.iter().find(|function| **function == name)?;
    Some(Native::value(Global(name)))
}

/// A global function, as a value.
#[derive(Debug)]
struct Global(&'static str);

impl Behavior for Global {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn call(&self, renderer: &Renderer, args: Vec<Value>, kwargs: Map) -> Option<Result<Value, Error>> {
        call(renderer, self.0, args, kwargs)
    }
}

/// Returns all variables, each of which is resolved when it is used.
fn variables(renderer: &Renderer) -> Value {
    let names = renderer.scope.names().into_iter().map(|name| {
        let name: Arc<str> = name.into();
        let variable = Variable { name: name.clone(), renderer: renderer.clone() };
        (Value::from(name), Value::Object(Arc::new(variable)))
    });
    Value::from(names.collect::<Map>())
}

#[derive(Debug)]
struct Variable {
    name: Arc<str>,
    renderer: Renderer,
}

impl Object for Variable {
    fn type_name(&self) -> &'static str {
        "lazy"
    }

    fn force(&self) -> Option<Result<Value, Error>> {
        let value = self.renderer.scope.get(&self.name);
        Some(value.unwrap_or_else(|| Ok(super::undefined::name(&self.name))))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Calls a global function. Returns `None` if there is none of that name.
pub(super) fn call(
    renderer: &Renderer,
    name: &str,
    args: Vec<Value>,
    kwargs: Map,
) -> Option<Result<Value, Error>> {
    Some(match name {
        "range" => range(&args),
        "dict" => dict(&args, kwargs),
        "namespace" => dict(&args, kwargs).map(|value| {
            let names = value.as_map().cloned().unwrap_or_default();
            Native::value(Namespace(Mutex::new(names)))
        }),
        "cycler" if args.is_empty() => Err(Error::new("at least one item has to be provided")),
        "cycler" => Ok(Native::value(Cycler { items: args, at: AtomicUsize::new(0) })),
        "joiner" => {
            let separator = args.into_iter().next().or_else(|| kwargs.get("sep").cloned());
            Ok(Native::value(Joiner {
                separator: separator.unwrap_or_else(|| ", ".into()),
                used: Mutex::new(false),
            }))
        }
        "lipsum" => lipsum(&args, &kwargs),
        "now" => now(&args, &kwargs),
        "undef" => {
            let hint = args.first().or_else(|| kwargs.get("hint")).filter(|hint| !hint.is_null());
            let text = |hint: &Value| match hint {
                Value::Str(text) => Ok(text.as_str().to_owned()),
                other => {
                    let name = other.type_name();
                    Err(Error::new(format!(
                        "The 'hint' argument must be of type 'str' or 'NoneType', not '{name}'."
                    )))
                }
            };
            let hint = match hint.map(text).transpose() {
                Ok(hint) => hint.filter(|hint| !hint.is_empty()),
                Err(error) => return Some(Err(error)),
            };
            Ok(Value::undefined(hint.unwrap_or_else(|| "Mandatory variable has not been overridden".into())))
        }
        "lookup" | "query" | "q" => {
            let mut args = args.into_iter();
            let mut kwargs = kwargs;
            if name != "lookup" {
                kwargs.insert("wantlist".into(), Value::Bool(true));
            }
            match args.next() {
                Some(plugin) => eval::lookup(renderer, &plugin.to_text(), args.collect(), kwargs),
                None => Err(Error::new(format!("{name}() needs the name of a lookup plugin"))),
            }
        }
        _ => return None,
    })
}

fn range(args: &[Value]) -> Result<Value, Error> {
    const LIMIT: i128 = 10_000_000;
    let number = |value: &Value| {
        let value = force(value)?;
        value.as_i64().ok_or_else(|| {
            let name = value.type_name();
            Error::new(format!("'{name}' object cannot be interpreted as an integer"))
        })
    };
    let (start, stop, step) = match args {
        [stop] => (0, number(stop)?, 1),
        [start, stop] => (number(start)?, number(stop)?, 1),
        [start, stop, step] => (number(start)?, number(stop)?, number(step)?),
        [] => return Err(Error::new("range expected at least 1 argument, got 0")),
        _ => return Err(Error::new(format!("range expected at most 3 arguments, got {}", args.len()))),
    };
    if step == 0 {
        return Err(Error::new("range() arg 3 must not be zero"));
    }
    let span = (i128::from(stop) - i128::from(start)) / i128::from(step);
    if span > LIMIT {
        return Err(Error::new(format!("range() of more than {LIMIT} numbers")));
    }
    let mut items = Vec::new();
    let mut n = start;
    while (step > 0 && n < stop) || (step < 0 && n > stop) {
        items.push(Value::Int(n));
        match n.checked_add(step) {
            Some(next) => n = next,
            None => break,
        }
    }
    Ok(Value::List(items.into()))
}

fn dict(args: &[Value], kwargs: Map) -> Result<Value, Error> {
    let mut map = match args.first() {
        Some(value) => match force(value)? {
            Value::Map(map) => map.branch(),
            other => methods::entries(&other)?,
        },
        None => Map::default(),
    };
    map.extend(kwargs);
    Ok(Value::from(map))
}

fn now(args: &[Value], kwargs: &Map) -> Result<Value, Error> {
    let utc = args.first().or_else(|| kwargs.get("utc")).is_some_and(Value::is_true);
    let format = args.get(1).or_else(|| kwargs.get("fmt")).filter(|format| format.is_true());
    purity::taint();
    let now = jiff::Zoned::now();
    let now = if utc { now.with_time_zone(jiff::tz::TimeZone::UTC) } else { now };
    let time = DateTime { civil: now.datetime(), offset: None };
    match format {
        Some(format) => time.strftime(&format.to_text()).map(Value::from),
        None => Ok(Native::value(time)),
    }
}

/// Returns filler text: `n` paragraphs of `min` to `max` words.
fn lipsum(args: &[Value], kwargs: &Map) -> Result<Value, Error> {
    const WORDS: [&str; 16] = [
        "lorem",
        "ipsum",
        "dolor",
        "sit",
        "amet",
        "consectetur",
        "adipiscing",
        "elit",
        "sed",
        "eiusmod",
        "tempor",
        "magna",
        "aliqua",
        "veniam",
        "quis",
        "nostrud",
    ];
    let argument = |i: usize, name: &str| args.get(i).or_else(|| kwargs.get(name));
    let number = |i, name: &str, default, lowest| {
        argument(i, name).and_then(Value::as_i64).unwrap_or(default).clamp(lowest, 10_000)
    };
    let (count, least, most) = (number(0, "n", 5, 0), number(2, "min", 20, 1), number(3, "max", 100, 1));
    let html = argument(1, "html").is_none_or(Value::is_true);
    let mut random = rand::rng();
    let paragraphs = (0..count).map(|_| {
        let length = random.random_range(least..=most.max(least));
        let words: Vec<&str> = (0..length).map(|_| WORDS[random.random_range(0..WORDS.len())]).collect();
        let mut text = words.join(" ");
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if html { format!("<p>{text}.</p>") } else { text + "." }
    });
    let paragraphs: Vec<String> = paragraphs.collect();
    Ok(paragraphs.join(if html { "\n" } else { "\n\n" }).into())
}

/// The object of `namespace(…)`, whose names can be set inside of loops.
#[derive(Debug)]
struct Namespace(Mutex<Map>);

impl Namespace {
    fn names(&self) -> std::sync::MutexGuard<'_, Map> {
        sync::lock(&self.0)
    }
}

impl Behavior for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.names().get(name).cloned()
    }

    fn set(&self, name: &str, value: Value) -> bool {
        self.names().insert(Value::from(name), value);
        true
    }

    fn take(&self, name: &str) -> Option<Value> {
        self.names().get_mut(name).map(std::mem::take)
    }

    fn text(&self) -> Option<String> {
        Some(format!("<Namespace {}>", playbook_api::python::repr(&Value::from(self.names().clone()))))
    }
}

/// The object of `cycler(…)`, which returns its items in turn.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    at: AtomicUsize,
}

impl Cycler {
    fn current(&self) -> Value {
        let at = self.at.load(Ordering::Relaxed) % self.items.len().max(1);
        self.items.get(at).cloned().unwrap_or_default()
    }
}

impl Behavior for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        (name == "current").then(|| self.current())
    }

    fn method(&self, name: &str, _: &[Value], _: &Map) -> Option<Result<Value, Error>> {
        match name {
            "next" => {
                let current = self.current();
                self.at.fetch_add(1, Ordering::Relaxed);
                Some(Ok(current))
            }
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Some(Ok(Value::Null))
            }
            _ => None,
        }
    }
}

/// The object of `joiner(…)`, which returns nothing at the first call, and then its separator.
#[derive(Debug)]
struct Joiner {
    separator: Value,
    used: Mutex<bool>,
}

impl Behavior for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn call(&self, _: &Renderer, _: Vec<Value>, _: Map) -> Option<Result<Value, Error>> {
        let mut used = sync::lock(&self.used);
        let first = !std::mem::replace(&mut *used, true);
        Some(Ok(if first { Value::from("") } else { self.separator.clone() }))
    }
}
