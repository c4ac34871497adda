//! Reads the part of Python's syntax that migration files need: literals that are assigned at a module's top level.

/// The value that is assigned to a variable.
#[derive(Debug, PartialEq)]
pub(super) enum Assigned {
    /// `None`, or an empty list.
    Nothing,
    /// A string, or several in a tuple or a list.
    Texts(Vec<String>),
    /// Anything else.
    Computed,
}

/// Returns what a module assigns to a variable at its top level: `name = 'a'`, `name: str = ("a", 'b')`.
pub(super) fn assigned(python: &str, name: &str) -> Option<Assigned> {
    let mut offset = 0;
    for line in python.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let Some(rest) = line.strip_prefix(name) else { continue };
        let annotated = rest.trim_start();
        let equals = match annotated.chars().next() {
            Some('=') if !annotated.starts_with("==") => rest.find('='),
            Some(':') => rest.find('='),
            _ => None,
        };
        let Some(equals) = equals else { continue };
        let value = python.get(start + name.len() + equals + 1..)?.trim_start();
        let end = match value.chars().next() {
            Some('(') => value.find(')'),
            Some('[') => value.find(']'),
            _ => value.find('\n'),
        };
        let value = value.get(..end.unwrap_or(value.len())).unwrap_or(value);
        let texts = quoted_texts(value);
        let word = value.split('#').next().unwrap_or_default().trim();
        return Some(match word.chars().next() {
            Some('(' | '[') if !texts.is_empty() => Assigned::Texts(texts),
            Some('\'' | '"') if texts.len() == 1 => Assigned::Texts(texts),
            _ if word == "None" || word.trim_start_matches(['(', '[']).is_empty() => Assigned::Nothing,
            _ => Assigned::Computed,
        });
    }
    None
}

/// Returns the string literals in a piece of Python.
pub(super) fn quoted_texts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '#']) {
        let (quote, after) = rest[at..].split_at(1);
        rest = match quote {
            "#" => after.split_once('\n').map_or("", |(_, next)| next),
            _ => match after.split_once(quote) {
                Some((inside, next)) => {
                    found.push(inside.to_owned());
                    next
                }
                None => "",
            },
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_in_every_style() {
        let texts = |all: &[&str]| Some(Assigned::Texts(all.iter().map(|t| (*t).to_owned()).collect()));
        let text = "\"\"\"x\n\nRevision ID: zz\n\"\"\"\nrevision: str = 'ab' # 'no'\ndown_revision: Union[str, Sequence[str], None] = (\n  'x',  # the 'first\n  \"y\",\n)\nbranch_labels = None\ndepends_on = PREFIX + 'x'\nother = 'a' + 'b'\n";
        assert_eq!(assigned(text, "revision"), texts(&["ab"]));
        assert_eq!(assigned(text, "down_revision"), texts(&["x", "y"]));
        assert_eq!(assigned(text, "branch_labels"), Some(Assigned::Nothing));
        assert_eq!(assigned(text, "depends_on"), Some(Assigned::Computed));
        assert_eq!(assigned(text, "other"), Some(Assigned::Computed));
        assert_eq!(assigned(text, "nothing"), None);
        assert_eq!(assigned("revision == 'a'\n", "revision"), None);
    }
}
