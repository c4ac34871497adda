//! Expands paths in settings: `~`, `$VARIABLE`, `{{CWD}}`.

use std::path::Path;

use super::Surroundings;
use crate::paths::{absolute, expand_home_with, expand_variables};

/// Returns the path that a text stands for. A relative one starts at `base`, or else in the current
/// directory.
pub fn expand(surroundings: &Surroundings, text: &str, base: Option<&Path>) -> String {
    let directory = surroundings.directory.to_string_lossy();
    let text = text.trim().replace("{{CWD}}", &directory).replace("{{ CWD }}", &directory);
    let text = expand_variables(&text, |name| surroundings.variables.get(name).cloned());
    let path = expand_home_with(&text, surroundings.variables.get("HOME").map(String::as_str));
    absolute(&base.unwrap_or(&surroundings.directory).join(path)).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::expand_home;

    #[test]
    fn variables_and_tildes_are_replaced() {
        let variables = [("HOME".to_owned(), "/h".to_owned()), ("A".to_owned(), "x".to_owned())].into();
        let surroundings = Surroundings { variables, directory: "/work".into() };
        let expand = |text| expand(&surroundings, text, Some(Path::new("/etc/app")));
        assert_eq!(expand("~/a"), "/h/a");
        assert_eq!(expand("$A/${A}y/$NO/${NO"), "/etc/app/x/xy/$NO/${NO");
        assert_eq!(expand("../b"), "/etc/b");
        assert_eq!(expand("{{CWD}}/c"), "/work/c");
        assert_eq!(expand("a$"), "/etc/app/a$");
        assert_eq!(expand_home("~root"), Path::new("/root"));
    }
}
