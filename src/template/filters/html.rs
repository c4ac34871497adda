//! HTML: escaping, attributes, links.

use playbook_api::{Error, Value};

use super::arguments::{flag, given, number, text};
use crate::template::regex::{Flags, compile};
use crate::template::{Call, Function};

pub(super) const FILTERS: &[Function] = &[
    Function::new("escape", escape_filter),
    Function::new("e", escape_filter),
    Function::new("forceescape", escape_filter),
    Function::new("safe", safe),
    Function::new("striptags", striptags),
    Function::new("xmlattr", xmlattr),
    Function::new("urlize", urlize),
];

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn escape_filter(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(escape(&call.input.to_text()).into())
}

/// Returns the text unchanged, since there is no automatic escaping.
fn safe(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    Ok(call.input.to_text().into())
}

fn striptags(call: &mut Call) -> Result<Value, Error> {
    let [] = call.bind([], 0)?;
    let mut text = call.input.to_text().into_owned();
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut kept = String::new();
        let mut rest = &*text;
        while let Some((before, inner)) = rest.split_once(open) {
            let Some((_, after)) = inner.split_once(close) else { break };
            kept.push_str(before);
            rest = after;
        }
        text = kept + rest;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok(unescape(&words.join(" ")).into())
}

/// The common entities of HTML.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 10);
        let character = entity.and_then(|(name, _)| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            "copy" => Some('©'),
            "hellip" => Some('…'),
            "mdash" => Some('—'),
            "ndash" => Some('–'),
            name => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (character, entity) {
            (Some(character), Some((_, behind))) => {
                out.push(character);
                rest = behind;
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

fn xmlattr(call: &mut Call) -> Result<Value, Error> {
    let [space] = call.bind(["autospace"], 0)?;
    let Some(map) = call.input.as_map() else {
        return Err(Error::new(format!("'{}' object has no attribute 'items'", call.input.type_name())));
    };
    let mut attributes = Vec::new();
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null() && !value.is_undefined()) {
        let key = key.to_text();
        if key.contains(|c: char| c.is_whitespace() || "/>=".contains(c)) {
            return Err(Error::new(format!("Invalid character in attribute name: '{key}'")));
        }
        attributes.push(format!("{}=\"{}\"", escape(&key), escape(&value.to_text())));
    }
    let joined = attributes.join(" ");
    Ok(if flag(&space, true) && !joined.is_empty() { format!(" {joined}") } else { joined }.into())
}

/// Converts the addresses in a text to links.
fn urlize(call: &mut Call) -> Result<Value, Error> {
    let [limit, nofollow, target, rel, schemes] =
        call.bind(["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], 0)?;
    let mut rels: Vec<String> = text(&given(rel), "").split_whitespace().map(str::to_owned).collect();
    if flag(&nofollow, false) {
        rels.push("nofollow".into());
    }
    rels.push("noopener".into());
    rels.sort();
    rels.dedup();
    let target = given(target).map(|target| format!(" target=\"{}\"", escape(&target.to_text())));
    let suffix = format!(" rel=\"{}\"{}", escape(&rels.join(" ")), target.unwrap_or_default());
    let limit = given(limit).map(|limit| number(&Some(limit), 0)).transpose()?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let schemes: Vec<String> = given(schemes)
        .and_then(|schemes| Some(schemes.as_list()?.iter().map(|s| s.to_text().into_owned()).collect()))
        .unwrap_or_default();
    let http = compile(
        r"^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}])))(?::[\d]{1,5})?(?:[/?#]\S*)?$",
        Flags { ignore_case: true, multiline: false },
    )?;
    let mail = compile(r"^\S+@\w[\w.-]*\.\w+$", Flags::default())?;
    let shorten = |address: &str| match limit {
        Some(limit) if address.chars().count() > limit => {
            format!("{}...", address.chars().take(limit).collect::<String>())
        }
        _ => address.to_owned(),
    };
    let link = |href: &str, shown: &str| format!("<a href=\"{href}\"{suffix}>{shown}</a>");
    let escaped = escape(&call.input.to_text());
    let mut out = String::new();
    for piece in escaped.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let (head, middle, tail) = trim_punctuation(word);
        let linked = if http.search(middle, 0)?.is_some() {
            let complete = middle.starts_with("https://") || middle.starts_with("http://");
            let href = if complete { middle.to_owned() } else { format!("https://{middle}") };
            Some(link(&href, &shorten(middle)))
        } else if middle.starts_with("mailto:") && mail.search(&middle[7..], 0)?.is_some() {
            Some(format!("<a href=\"{middle}\">{}</a>", &middle[7..]))
        } else if middle.contains('@')
            && !middle.starts_with("www.")
            && !middle.contains(':')
            && !middle.starts_with('@')
            && mail.search(middle, 0)?.is_some()
        {
            Some(format!("<a href=\"mailto:{middle}\">{middle}</a>"))
        } else if schemes.iter().any(|scheme| middle.starts_with(scheme) && middle.len() > scheme.len()) {
            Some(link(middle, middle))
        } else {
            None
        };
        match linked {
            Some(linked) => out.push_str(&format!("{head}{linked}{tail}")),
            None => out.push_str(word),
        }
        out.push_str(&piece[word.len()..]);
    }
    Ok(out.into())
}

/// Splits brackets before and punctuation after an address. A closing bracket stays if an opening one is inside.
fn trim_punctuation(word: &str) -> (&str, &str, &str) {
    let mut start = 0;
    loop {
        let rest = &word[start..];
        match ["(", "<", "&lt;"].iter().find(|open| rest.starts_with(**open)) {
            Some(open) => start += open.len(),
            None => break,
        }
    }
    let mut end = word.len();
    loop {
        let rest = &word[start..end];
        match [")", ">", ".", ",", "\n", "&gt;"].iter().find(|close| rest.ends_with(**close)) {
            Some(close) => {
                let open = match *close {
                    ")" => "(",
                    ">" => "<",
                    "&gt;" => "&lt;",
                    _ => "",
                };
                if !open.is_empty() && rest.matches(open).count() >= rest.matches(*close).count() {
                    break;
                }
                end -= close.len();
            }
            None => break,
        }
    }
    (&word[..start], &word[start..end], &word[end..])
}
