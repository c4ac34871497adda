//! `sequence`: numbers counted up or down and formatted.

use playbook_api::{Error, Map, Value, python};

use super::Lookup;
use super::terms::{self, Options};
use crate::template::filters::arguments::tuple;
use crate::template::python::printf;
use crate::template::regex::{Flags, compile};
use crate::template::{Renderer, budget};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("sequence", sequence)];

/// The maximum length of a sequence.
const MOST: u64 = 10_000_000;

fn sequence(terms: &[Value], call: &Map, _: &Renderer) -> Result<Vec<Value>, Error> {
    let has_options =
        ["start", "end", "count", "stride", "format"].iter().any(|name| call.contains_key(*name));
    if terms.is_empty() {
        return if has_options { run(Map::default(), call) } else { Ok(Vec::new()) };
    }
    let mut numbers = Vec::new();
    for term in terms {
        numbers.extend(run(options(&term.to_text())?, call)?);
    }
    Ok(numbers)
}

/// Parses `start-end/stride:format`, or `key=value` options.
fn options(term: &str) -> Result<Map, Error> {
    let shortcut = compile(
        r"^(?:(?P<start>0?x?[0-9a-f]+)-)?(?P<end>0?x?[0-9a-f]+)(?:/(?P<stride>0?x?[0-9a-f]+))?(?::(?P<format>.+))?$",
        Flags { ignore_case: true, multiline: false },
    )?;
    if let Some(found) = shortcut.search(term.trim(), 0)? {
        let parts = ["start", "end", "stride", "format"];
        let part = |name: &str| Some((Value::from(name), Value::from(found.name(name)?.as_str())));
        return Ok(parts.iter().filter_map(|name| part(name)).collect());
    }
    let (free, mut options) = terms::parse(term)?;
    if !free.is_empty() {
        options.insert("_raw_params".into(), free.into());
    }
    let known = ["start", "end", "count", "stride", "format"];
    let unknown: Vec<Value> =
        options.keys().filter(|key| !key.as_str().is_some_and(|key| known.contains(&key))).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::new(format!(
            "unrecognized arguments to with_sequence: {}",
            python::repr(&unknown.into())
        )));
    }
    Ok(options)
}

fn run(inline: Map, call: &Map) -> Result<Vec<Value>, Error> {
    let options = Options { lookup: "sequence", inline, call };
    let (count, end) = (options.integer("count")?, options.integer("end")?);
    let (mut start, mut stride) =
        (options.integer("start")?.unwrap_or(1), options.integer("stride")?.unwrap_or(1));
    let format = options.text("format").unwrap_or_else(|| "%d".into());
    let end = match (count, end) {
        (None, None) => return Err(Error::new("must specify count or end in with_sequence")),
        (Some(_), Some(_)) => return Err(Error::new("can't specify both count and end in with_sequence")),
        (None, Some(end)) => end,
        (Some(0), None) => {
            (start, stride) = (0, 0);
            0
        }
        (Some(count), None) => start.saturating_add(count.saturating_mul(stride)).saturating_sub(1),
    };
    if stride > 0 && end < start {
        return Err(Error::new("to count backwards make stride negative"));
    }
    if stride < 0 && end > start {
        return Err(Error::new("to count forward don't make stride negative"));
    }
    if format.matches('%').count() != 1 {
        return Err(Error::new(format!("bad formatting string: {format}")));
    }
    let count = if stride == 0 { 0 } else { end.abs_diff(start) / stride.unsigned_abs() };
    if count >= MOST {
        return Err(Error::new("the sequence is too long"));
    }
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(n) = next.filter(|n| stride != 0 && if stride > 0 { *n <= end } else { *n >= end }) {
        let text = printf::format(&format, &tuple(vec![n.into()]))
            .map_err(|e| e.context(format!("problem formatting {n} with '{format}'")))?;
        budget::made(&text)?;
        numbers.push(text);
        next = n.checked_add(stride);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(term: &str, call: Map) -> String {
        let run = options(term).and_then(|options| run(options, &call));
        run.map_or_else(|e| e.to_string(), |numbers| Value::from(numbers).to_string())
    }

    #[test]
    fn counts() {
        let none = Map::default;
        assert_eq!(texts("start=0 end=3", none()), "['0', '1', '2', '3']");
        assert_eq!(texts("start=3 end=0 stride=-1", none()), "['3', '2', '1', '0']");
        assert_eq!(texts("2-6/2", none()), "['2', '4', '6']");
        assert_eq!(texts("7-8:host%02d", none()), "['host07', 'host08']");
        assert_eq!(texts("count=0", none()), "[]");
        let down = playbook_api::map! { "stride" => -1 };
        assert_eq!(texts("count=5 start=0", down), "['0', '-1', '-2', '-3', '-4', '-5', '-6']");
    }

    #[test]
    fn says_what_is_wrong() {
        let none = Map::default;
        assert_eq!(texts("start=0 junk=3", none()), "unrecognized arguments to with_sequence: ['junk']");
        assert_eq!(
            texts("A-4/2", none()),
            "Config 'start' for 'sequence' lookup plugin from 'Direct' has an invalid value: \
             Invalid value provided for 'integer': 'A'"
        );
        assert_eq!(texts("start=1", none()), "must specify count or end in with_sequence");
        assert_eq!(texts("start=4 end=1 stride=2", none()), "to count backwards make stride negative");
        assert_eq!(texts("start=1 end=4 stride=-2", none()), "to count forward don't make stride negative");
        assert_eq!(texts("start=1 end=4 format=d", none()), "bad formatting string: d");
    }
}
