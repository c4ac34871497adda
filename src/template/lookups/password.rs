//! `password`: a random password, kept in a file.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use playbook_api::{Error, Map, Value};

use super::Lookup;
use super::terms::{self, Options};
use crate::paths;
use crate::template::Renderer;
use crate::template::filters::mersenne::Random;
use crate::template::filters::password_hash as crypt;
use crate::template::filters::paths::expanduser;

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("password", password)];

const PARAMETERS: &[&str] = &["length", "encrypt", "chars", "ident", "seed"];

fn password(terms: &[Value], call: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    terms.iter().map(|term| one(&term.to_text(), call, renderer)).collect()
}

/// The contents of a password file.
struct Stored {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Stored {
    fn parse(content: &str) -> Stored {
        let content = content.trim_end_matches(['\n', '\r']);
        let (rest, ident) =
            content.rsplit_once(" ident=").map_or((content, None), |(rest, i)| (rest, Some(i)));
        let (password, salt) = rest.rsplit_once(" salt=").map_or((rest, None), |(rest, s)| (rest, Some(s)));
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Stored { password: password.to_owned(), salt: owned(salt), ident: owned(ident) }
    }

    fn content(&self) -> String {
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {name}={value}")).unwrap_or_default()
        };
        format!("{}{}{}\n", self.password, part("salt", &self.salt), part("ident", &self.ident))
    }
}

fn one(term: &str, call: &Map, renderer: &Renderer) -> Result<Value, Error> {
    let (path, rest) = term.split_once(' ').unwrap_or((term, ""));
    let (free, inline) = terms::parse(rest)?;
    let path = if free.is_empty() { path.to_owned() } else { format!("{path} {free}") };
    let unknown: Vec<String> = inline
        .keys()
        .filter(|key| !key.as_str().is_some_and(|key| PARAMETERS.contains(&key)))
        .map(|key| key.to_text().into_owned())
        .collect();
    if !unknown.is_empty() {
        return Err(Error::new(format!(
            "Unrecognized parameter(s) given to password lookup: {}",
            unknown.join(", ")
        )));
    }
    let options = Options { lookup: "password", inline, call };
    let encrypt = options.text("encrypt").filter(|encrypt| !encrypt.is_empty());
    if let Some(algorithm) = encrypt.as_ref().filter(|algorithm| !crypt::is_known(algorithm)) {
        return Err(Error::new(format!("the password lookup does not support the '{algorithm}' algorithm.")));
    }
    let path = PathBuf::from(expanduser(&path));
    let path = renderer.environment.options.base_dir.join(path);
    let seed = options.text("seed").map(Value::from);
    let keep = path != Path::new("/dev/null");
    let mut stored = match paths::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
        Ok(content) if keep && !content.is_empty() => Stored::parse(&content),
        Err(e) if keep && e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io(&e, format!("cannot read the password file {}", path.display())));
        }
        _ => Stored { password: String::new(), salt: None, ident: None },
    };
    let mut changed = false;
    if stored.password.is_empty() {
        let length = options.integer("length")?.unwrap_or(20);
        let length = usize::try_from(length).ok().filter(|length| *length <= 100_000);
        let length = length.ok_or_else(|| Error::new("length must be a small positive number"))?;
        stored.password = random_password(
            length,
            &characters(options.inline.get("chars"), call.get("chars")),
            seed.as_ref(),
        )?;
        changed = true;
    }
    if let Some(algorithm) = &encrypt {
        if stored.salt.is_none() {
            stored.salt = Some(crypt::random_salt(algorithm, &mut Random::new(None)?));
            changed = true;
        }
        let wanted = options.text("ident").filter(|ident| !ident.is_empty());
        let default = || matches!(algorithm.as_str(), "bcrypt" | "blowfish").then(|| "2b".to_owned());
        if stored.ident.is_none()
            && let Some(ident) = wanted.or_else(default)
        {
            stored.ident = Some(ident);
            changed = true;
        }
    }
    if changed && keep && !renderer.environment.context.check {
        write(&path, &stored.content())
            .map_err(|e| e.context(format!("cannot write the password file {}", path.display())))?;
    }
    let text = match &encrypt {
        Some(algorithm) => {
            let with = crypt::With {
                salt: stored.salt.as_deref(),
                ident: stored.ident.as_deref(),
                release: renderer.release(),
                ..crypt::With::default()
            };
            crypt::hash(&stored.password, algorithm, with)?
        }
        None => stored.password,
    };
    Ok(Value::from(text))
}

/// Writes a file that only the user can read. Missing directories are created.
fn write(path: &Path, content: &str) -> Result<(), Error> {
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|e| Error::io(&e, format!("cannot create {}", directory.display())))?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
    file.write_all(content.as_bytes())
        .map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
    Ok(())
}

/// Returns the characters to choose from, given by Python's names of sets and by single characters. Inside of a term,
/// `,,` stands for a comma.
fn characters(inline: Option<&Value>, option: Option<&Value>) -> Vec<char> {
    let parts = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let specs: Vec<String> = match (inline, option) {
        (None, None) => ["ascii_letters", "digits", ".,:-_"].map(str::to_owned).into(),
        (Some(text), _) => {
            let text = text.to_text();
            let comma = text.contains(",,").then(|| ",".to_owned());
            let rest: Vec<String> = parts(&text.replace(",,", ","));
            comma.into_iter().chain(rest).collect()
        }
        (None, Some(Value::List(items))) => items.iter().map(|item| item.to_text().into_owned()).collect(),
        (None, Some(text)) => parts(&text.to_text()),
    };
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    let expand = |spec: &String| match spec.as_str() {
        "ascii_letters" => format!("{LOWER}{UPPER}"),
        "ascii_lowercase" => LOWER.to_owned(),
        "ascii_uppercase" => UPPER.to_owned(),
        "digits" => DIGITS.to_owned(),
        "hexdigits" => format!("{DIGITS}abcdefABCDEF"),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => PUNCTUATION.to_owned(),
        "whitespace" => " \t\n\r\u{b}\u{c}".to_owned(),
        "printable" => format!("{DIGITS}{LOWER}{UPPER}{PUNCTUATION} \t\n\r\u{b}\u{c}"),
        other => other.to_owned(),
    };
    specs.iter().map(expand).collect::<String>().chars().filter(|c| !"\"'".contains(*c)).collect()
}

fn random_password(length: usize, characters: &[char], seed: Option<&Value>) -> Result<String, Error> {
    if characters.is_empty() {
        return Err(Error::new("chars does not contain any characters for a password"));
    }
    let mut random = Random::new(seed)?;
    Ok((0..length).map(|_| characters[random.position(characters.len())]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_give_ansibles_passwords() {
        let made = |length, chars: Option<Value>, seed: Value| {
            random_password(length, &characters(None, chars.as_ref()), Some(&seed)).expect("a password")
        };
        assert_eq!(made(10, None, "x".into()), "O9iX65WvW9");
        assert_eq!(made(12, Some(vec!["ascii_letters", "digits"].into()), "1".into()), "EEcRhB2ys5ac");
        assert_eq!(made(10, Some("abc,,,hexdigits".into()), "z".into()), "b1bdCeC03a");
    }

    #[test]
    fn files_keep_salt_and_ident() {
        let stored = Stored::parse("pa ss salt=ab ident=2b\n");
        assert_eq!((stored.password.as_str(), stored.salt.as_deref()), ("pa ss", Some("ab")));
        assert_eq!(stored.content(), "pa ss salt=ab ident=2b\n");
    }
}
