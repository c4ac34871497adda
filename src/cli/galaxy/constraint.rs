//! Versions of collections, and requirements such as `>=1.0,<2`.

use std::cmp::Ordering;

use playbook_api::Error;

/// A version: numbers, and a pre-release after a hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub text: String,
    numbers: Vec<u64>,
    before: Vec<String>,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let plain = text.split('+').next().unwrap_or(text);
        let (numbers, before) = plain.split_once('-').unwrap_or((plain, ""));
        let numbers = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let before = before.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Some(Version { text: text.to_owned(), numbers, before })
    }

    pub(super) fn is_prerelease(&self) -> bool {
        !self.before.is_empty()
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let at = |version: &Version, i: usize| version.numbers.get(i).copied().unwrap_or(0);
        let longest = self.numbers.len().max(other.numbers.len());
        let numbers = (0..longest).map(|i| at(self, i).cmp(&at(other, i))).find(|order| order.is_ne());
        let part = |a: &String, b: &String| match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        numbers.unwrap_or_else(|| match (self.before.is_empty(), other.before.is_empty()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => {
                let parts = self.before.iter().zip(&other.before).map(|(a, b)| part(a, b));
                parts
                    .into_iter()
                    .find(|order| order.is_ne())
                    .unwrap_or(self.before.len().cmp(&other.before.len()))
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The rules for a version, which commas separate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constraint {
    pub text: String,
    rules: Vec<(String, Version)>,
}

impl Constraint {
    pub(super) fn parse(text: &str) -> Result<Constraint, Error> {
        let mut rules = Vec::new();
        for rule in text.split(',').map(str::trim).filter(|rule| !rule.is_empty() && *rule != "*") {
            let end = rule.find(|c: char| !"<>=!".contains(c)).unwrap_or(rule.len());
            let (sign, version) = rule.split_at(end);
            let known = matches!(sign, "" | "=" | "==" | "!=" | "<" | "<=" | ">" | ">=");
            let version = Version::parse(version).filter(|_| known).ok_or_else(|| {
                Error::new(format!("'{rule}' is not a valid version requirement"))
                    .with_help("Write a version, or bounds such as '>=1.0.0,<2.0.0'.")
            })?;
            rules.push((sign.to_owned(), version));
        }
        Ok(Constraint { text: text.trim().to_owned(), rules })
    }

    /// Whether a version fulfills the rules. Pre-releases are accepted only if they are named exactly, or if all are
    /// allowed.
    pub(super) fn allows(&self, version: &Version, prereleases: bool) -> bool {
        let exactly = |(sign, wanted): &(String, Version)| {
            matches!(sign.as_str(), "" | "=" | "==") && wanted == version
        };
        let fits = |(sign, wanted): &(String, Version)| match sign.as_str() {
            "!=" => version != wanted,
            "<" => version < wanted,
            "<=" => version <= wanted,
            ">" => version > wanted,
            ">=" => version >= wanted,
            _ => version.cmp(wanted).is_eq(),
        };
        (prereleases || !version.is_prerelease() || self.rules.iter().any(exactly))
            && self.rules.iter().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let all = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.2",
            "1.10.0",
        ];
        let parsed: Vec<Version> = all.iter().map(|text| Version::parse(text).unwrap()).collect();
        assert!(parsed.windows(2).all(|pair| pair[0] < pair[1]), "{parsed:?}");
        assert!(Version::parse("main").is_none());
    }

    #[test]
    fn constraints_hold() {
        let allows = |constraint: &str, version: &str| {
            Constraint::parse(constraint).unwrap().allows(&Version::parse(version).unwrap(), false)
        };
        assert!(allows(">=1.0,<2", "1.9.9") && !allows(">=1.0,<2", "2.0.0") && !allows(">=1.0,<2", "0.9"));
        assert!(allows("*", "3.0.0") && allows("", "3.0.0") && !allows("*", "3.0.0-rc.1"));
        assert!(allows("1.2.3", "1.2.3") && allows("==1.2.3", "1.2.3") && !allows("!=1.2.3", "1.2.3"));
        assert!(allows("3.0.0-rc.1", "3.0.0-rc.1"));
        assert_eq!(
            Constraint::parse("~1.0").unwrap_err().message(),
            "'~1.0' is not a valid version requirement"
        );
    }
}
