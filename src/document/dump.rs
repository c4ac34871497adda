//! `yaml.dump`: what PyYAML makes of values, written by libyaml.

use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};
use playbook_api::{Error, Value, python};

use super::scalar::plain_scalar;

/// Options of `yaml.dump`.
#[derive(Clone, Copy, Debug)]
pub struct DumpOptions {
    /// Flow or block; without a wish, collections of nothing but scalars flow.
    pub flow: Option<bool>,
    /// The style of all scalars.
    pub style: ScalarStyle,
    /// Whether every value is written with its tag, in braces.
    pub canonical: bool,
    /// The number of blanks for a level.
    pub indent: i32,
    /// Where lines are folded; a negative width means nowhere.
    pub width: i32,
    /// Whether `---` comes first.
    pub explicit_start: bool,
    /// Whether `...` comes last.
    pub explicit_end: bool,
    /// Whether the keys are sorted.
    pub sort_keys: bool,
    /// Texts of several lines stand as blocks.
    pub blocks: bool,
    /// And lose what would keep them from it: blanks at the ends of lines, tabs.
    pub lossy: bool,
    /// The vault that a text came out of, if any.
    pub envelope: fn(&Value) -> Option<&str>,
}

/// The vault that a text came out of.
pub fn envelope(value: &Value) -> Option<&str> {
    match value {
        Value::Str(text) => text.envelope(),
        _ => None,
    }
}

/// Writes a value as YAML, as `yaml.dump` does.
pub fn dump(value: &Value, options: &DumpOptions) -> Result<String, Error> {
    let mut out = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut out);
    emitter.set_unicode(true);
    emitter.set_canonical(options.canonical);
    emitter.set_indent(options.indent);
    emitter.set_width(options.width);
    let mut writer = Writer { emitter, options };
    writer.emit(Event::stream_start(Encoding::Utf8))?;
    writer.emit(Event::document_start(None, &[], !options.explicit_start))?;
    writer.node(value)?;
    writer.emit(Event::document_end(!options.explicit_end))?;
    writer.emit(Event::stream_end())?;
    drop(writer);
    String::from_utf8(out).map_err(|e| Error::new(e.to_string()))
}

struct Writer<'a> {
    emitter: Emitter<'a>,
    options: &'a DumpOptions,
}

impl Writer<'_> {
    fn emit(&mut self, event: Event) -> Result<(), Error> {
        self.emitter.emit(event).map_err(|e| Error::new(format!("cannot write YAML: {e}")))
    }

    fn node(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Undefined(reason) => Err(Error::undefined(reason.to_string())),
            Value::List(items) | Value::Tuple(items) => {
                let flows = self.flows(items.iter());
                let style = if flows { SequenceStyle::Flow } else { SequenceStyle::Block };
                self.emit(Event::sequence_start(None, Some("tag:yaml.org,2002:seq"), true, style))?;
                items.iter().try_for_each(|item| self.node(item))?;
                self.emit(Event::sequence_end())
            }
            Value::Map(map) => {
                let mut keys: Vec<&Value> = map.keys().collect();
                // Keys that have no order among themselves stay as they are.
                let ordered = keys.windows(2).all(|pair| pair[0].compare(pair[1]).is_some());
                if self.options.sort_keys && ordered {
                    keys.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
                }
                let flows = self.flows(map.iter().flat_map(|(key, value)| [key, value]));
                let style = if flows { MappingStyle::Flow } else { MappingStyle::Block };
                self.emit(Event::mapping_start(None, Some("tag:yaml.org,2002:map"), true, style))?;
                for key in keys {
                    self.node(key)?;
                    self.node(map.get(key).unwrap_or(&Value::Null))?;
                }
                self.emit(Event::mapping_end())
            }
            scalar => {
                // What comes out of a vault goes into it again.
                if let Some(text) = (self.options.envelope)(scalar) {
                    let style = ScalarStyle::Literal;
                    return self.emit(Event::scalar(None, Some("!vault"), text, false, false, style));
                }
                let Scalar { mut text, tag, plain, quoted } = represent(scalar);
                let mut style = self.options.style;
                if self.options.blocks
                    && tag == TEXT
                    && text.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}'])
                {
                    style = ScalarStyle::Literal;
                    if self.options.lossy {
                        text = fit_for_block(&text);
                    }
                }
                self.emit(Event::scalar(None, Some(tag), &text, plain, quoted, style))
            }
        }
    }

    /// Whether a collection flows: as wished, or if all its members are plain scalars.
    fn flows<'a>(&self, mut members: impl Iterator<Item = &'a Value>) -> bool {
        let is_scalar = |value: &Value| {
            !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Map(_))
                && (self.options.envelope)(value).is_none()
        };
        let plain = self.options.style == ScalarStyle::Any;
        self.options.flow.unwrap_or_else(|| members.all(|member| is_scalar(member) && plain))
    }
}

/// A scalar with the tag that it has, and whether it would be read as such when written plainly or quoted.
struct Scalar {
    text: String,
    tag: &'static str,
    plain: bool,
    quoted: bool,
}

const TEXT: &str = "tag:yaml.org,2002:str";

/// A scalar as PyYAML represents it.
fn represent(value: &Value) -> Scalar {
    let (text, tag) = match value {
        Value::Null | Value::Omit => ("null".to_owned(), "tag:yaml.org,2002:null"),
        Value::Bool(b) => (b.to_string(), "tag:yaml.org,2002:bool"),
        Value::Int(_) | Value::BigInt(_) => (value.to_string(), "tag:yaml.org,2002:int"),
        Value::Float(n) => (float(*n), "tag:yaml.org,2002:float"),
        other => (other.to_text().into_owned(), TEXT),
    };
    let is_text = tag == TEXT;
    let plain = !is_text || (matches!(plain_scalar(&text), Value::Str(_)) && !matches!(&*text, "<<" | "="));
    Scalar { text, tag, plain: plain && !(is_text && is_date(value)), quoted: is_text }
}

/// A text that YAML 1.1 would read as a point in time.
fn is_date(value: &Value) -> bool {
    let text = value.to_text();
    let (date, rest) = text.split_at(text.find(['T', 't', ' ', '\t']).unwrap_or(text.len()));
    let mut parts = date.split('-');
    let mut digits = |lengths: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|p| lengths.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let short = rest.is_empty();
    let (month, day) = if short { (2..=2, 2..=2) } else { (1..=2, 1..=2) };
    let is_day = digits(4..=4) && digits(month) && digits(day) && parts.next().is_none();
    let clock = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '\t', 'T', 't']);
        let hour = rest
            .split(':')
            .next()
            .is_some_and(|h| matches!(h.len(), 1 | 2) && h.bytes().all(|b| b.is_ascii_digit()));
        hour && rest.matches(':').count() >= 2
    };
    is_day && (short || clock(rest))
}

/// What a block can hold: no trailing spaces, no special characters.
fn fit_for_block(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.trim_end().chars() {
        match c {
            '\t' => {
                let spaces = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' => {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                column = 0;
            }
            c if printable(c) => {
                out.push(c);
                column += 1;
            }
            _ => {}
        }
    }
    out
}

fn printable(c: char) -> bool {
    matches!(c as u32, 0x0a | 0x20..=0x7e | 0x85 | 0xa0..=0xd7ff | 0xe000..=0xfefe | 0xff00..=0xfffd | 0x10000..)
}

/// PyYAML gives every exponent a point before it: without one, YAML 1.1 reads text.
fn float(n: f64) -> String {
    if n.is_nan() {
        return ".nan".into();
    }
    if n.is_infinite() {
        return if n > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = python::float(n);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}
