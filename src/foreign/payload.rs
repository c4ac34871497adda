//! A module in the form in which it is sent to its host.

use std::path::Path;
use std::sync::Arc;

use playbook_api::sync::lock;
use playbook_api::{Error, Value, python};
use serde_json::json;
use sha1::{Digest, Sha1};

use super::style::{JSON_ARGS, Style, shebang};
use super::{Foreign, Found, nothing_to_ask};

/// A module's file, read once; for a module in Python, the payload that ansible-core built of it.
#[derive(Debug)]
pub struct Payload {
    /// The way in which it expects its arguments.
    pub style: Style,
    /// The program of its first line, and the arguments of that program.
    pub shebang: Option<(String, Vec<String>)>,
    /// The file's name.
    pub file: String,
    content: Vec<u8>,
    /// For a module in Python, the position of the arguments, and the SHA-1 of the rest. A host keeps the rest, and
    /// needs only the arguments the next time.
    pub gap: Option<(usize, String)>,
}

/// The placeholder of the arguments in a payload.
const MARK: &str = "'{\"ANSIBLE_MODULE_ARGS\": {\"arguments\": \"go here\"}}'";

impl Foreign {
    /// Returns the payload of a module.
    pub fn payload(&self, found: &Found, path: &Path) -> Result<Arc<Payload>, Error> {
        if let Some(payload) = lock(&self.payloads).get(path) {
            return Ok(payload.clone());
        }
        let payload = Arc::new(self.build(found, path)?);
        lock(&self.payloads).insert(path.to_owned(), payload.clone());
        Ok(payload)
    }

    fn build(&self, found: &Found, path: &Path) -> Result<Payload, Error> {
        let content = std::fs::read(path)
            .map_err(|e| Error::io(&e, format!("cannot read the module {}", path.display())))?;
        let style = Style::of(&content);
        let shebang = shebang(&content);
        let content = match style {
            Style::Python => {
                let python = self.python_for("module", &format!("{} ({})", found.name, path.display()))?;
                let body = json!({ "name": found.name, "path": path });
                let built = python.ask("payload", body, &mut nothing_to_ask)?;
                let text = built.as_str().unwrap_or_default();
                if !text.contains(MARK) {
                    let version = &python.version;
                    return Err(Error::new(format!(
                        "ansible-core {version} builds modules in an unknown form"
                    )));
                }
                text.as_bytes().to_vec()
            }
            Style::PowerShell => {
                return Err(Error::new(format!(
                    "the module '{}' ({}) is written for Windows, which is not supported",
                    found.name,
                    path.display()
                )));
            }
            _ => content,
        };
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let gap = content.windows(MARK.len()).position(|part| part == MARK.as_bytes());
        let gap = gap.filter(|_| style == Style::Python);
        let content = match gap {
            Some(gap) => [&content[..gap], &content[gap + MARK.len()..]].concat(),
            None => content,
        };
        let gap = gap.map(|gap| (gap, hex::encode(Sha1::digest(&content))));
        Ok(Payload { style, shebang, file, content, gap })
    }
}

impl Payload {
    /// Returns the module without its arguments.
    pub fn around(&self) -> &[u8] {
        &self.content
    }

    /// Returns the module, with the arguments if it takes them in its text, and with the interpreter in its
    /// first line.
    pub fn content(&self, arguments: &serde_json::Value, interpreter: Option<&str>) -> Vec<u8> {
        if let Some((gap, _)) = self.gap {
            let (before, after) = self.content.split_at(gap);
            return [before, filling(arguments).as_bytes(), after].concat();
        }
        match self.style {
            Style::JsonArgs => {
                let json = arguments.to_string();
                let text = String::from_utf8_lossy(&self.content).replace(JSON_ARGS, &json);
                let quoted = python::repr(&Value::from(json));
                let text = text.replace("\"<<INCLUDE_ANSIBLE_MODULE_COMPLEX_ARGS>>\"", &quoted);
                with_interpreter(text.into_bytes(), interpreter)
            }
            _ => with_interpreter(self.content.clone(), interpreter),
        }
    }
}

/// Returns the text of the arguments in a module in Python.
pub fn filling(arguments: &serde_json::Value) -> String {
    let arguments = json!({ "ANSIBLE_MODULE_ARGS": arguments }).to_string();
    python::repr(&Value::from(arguments))
}

fn with_interpreter(content: Vec<u8>, interpreter: Option<&str>) -> Vec<u8> {
    let Some(interpreter) = interpreter.filter(|_| content.starts_with(b"#!")) else { return content };
    let rest = content.iter().position(|b| *b == b'\n').unwrap_or(content.len());
    [b"#!", interpreter.as_bytes(), &content[rest..]].concat()
}
