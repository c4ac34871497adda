//! The vault secrets of a run, by id.

use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use playbook_api::{Error, ErrorKind, sync};

use super::envelope::{self, Envelope};
use crate::paths::{absolute, cannot_read, expand_home};

/// Asks a person for a password; given the prompt.
pub type Ask = Arc<dyn Fn(&str) -> Result<String, Error> + Send + Sync>;

/// What the settings and flags say about vaults.
#[derive(Clone, Default)]
pub struct Options {
    /// `vault_identity_list` and `--vault-id`, in this order: `name@file`, `name@prompt`, `file`.
    pub ids: Vec<String>,
    /// `--vault-password-file` and `vault_password_file`.
    pub password_files: Vec<PathBuf>,
    /// `--ask-vault-pass`.
    pub ask_pass: bool,
    /// `vault_identity`, the name of what has none.
    pub default_id: Option<String>,
    /// `vault_id_match`: a vault is opened only with the secret of its own id.
    pub match_ids: bool,
    /// `vault_encrypt_identity` or `--encrypt-vault-id`.
    pub encrypt_id: Option<String>,
    /// `vault_encrypt_salt`.
    pub encrypt_salt: Option<String>,
    /// Ask twice, for a new password.
    pub confirm: bool,
    /// What asks for a password.
    pub ask: Option<Ask>,
}

/// The vault secrets of a run, by id. Scripts and prompts are asked once, when the first vault is opened.
#[derive(Default)]
pub struct Keyring {
    secrets: Vec<Secret>,
    options: Options,
    /// Opening is slow by design; the same value is asked for again and again.
    opened: Mutex<HashMap<String, Arc<[u8]>>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.secrets.iter().map(|s| &s.id)).finish()
    }
}

/// What opened an envelope: enough to seal it again as it was.
#[derive(Clone, Debug)]
pub struct Opener {
    secret: usize,
    label: Option<String>,
}

struct Secret {
    id: String,
    source: Source,
    password: OnceLock<Result<Arc<[u8]>, Error>>,
}

enum Source {
    File(PathBuf),
    Script { path: PathBuf, client: bool },
    Prompt(String),
}

const DEFAULT_ID: &str = "default";

fn fault(message: impl Into<String>) -> Error {
    Error::new(message).with_kind(ErrorKind::Vault)
}

impl Keyring {
    /// Finds out where the secrets are. A source that is not there is a warning as long as there is another.
    pub fn new(options: Options) -> Result<(Keyring, Vec<Error>), Error> {
        let default_id = options.default_id.clone().unwrap_or_else(|| DEFAULT_ID.into());
        let mut slugs = options.ids.clone();
        slugs.extend(options.password_files.iter().map(|file| format!("{default_id}@{}", file.display())));
        if options.ask_pass {
            slugs.push(format!("{default_id}@prompt_ask_vault_pass"));
        }
        let mut keyring = Keyring { secrets: Vec::new(), options, opened: Mutex::default() };
        let mut warnings = Vec::new();
        let mut last = None;
        for slug in slugs {
            let (id, source) = match slug.split_once('@') {
                Some((id, source)) => (id.to_owned(), source),
                None => (default_id.clone(), slug.as_str()),
            };
            let mut warn = |what: &str, error: Error| {
                warnings.push(fault(format!("Error {what} ({id}): {error}")));
                last = Some(error);
            };
            let source = match Source::find(&id, source) {
                Ok(source) => source,
                Err(error) => {
                    warn("getting vault password file", error);
                    continue;
                }
            };
            let asks = matches!(source, Source::Prompt(_));
            keyring.secrets.push(Secret { id: id.clone(), source, password: OnceLock::new() });
            // Only a password that must be typed in is not read before it is needed.
            if !asks && let Err(error) = keyring.password(keyring.secrets.len() - 1) {
                warn("in vault password file loading", error);
                keyring.secrets.pop();
            }
        }
        match last {
            Some(error) if keyring.secrets.is_empty() => Err(error),
            _ => Ok((keyring, warnings)),
        }
    }

    /// A keyring of one known password, for tests and embedded use.
    pub fn with_password(id: &str, password: &str) -> Keyring {
        let secret = Secret {
            id: id.to_owned(),
            source: Source::Prompt(String::new()),
            password: OnceLock::from(Ok(password.as_bytes().into())),
        };
        Keyring { secrets: vec![secret], ..Keyring::default() }
    }

    /// Asks now what is to be typed in, so that no prompt comes up in the middle of a run.
    pub fn ask(&self) -> Result<(), Error> {
        let mut prompts =
            self.secrets.iter().enumerate().filter(|(_, s)| matches!(s.source, Source::Prompt(_)));
        prompts.try_for_each(|(index, _)| self.password(index).map(drop))
    }

    /// Returns whether there is no secret.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Returns the ids of the secrets.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.id.as_str())
    }

    /// Opens an envelope (`$ANSIBLE_VAULT;1.1;AES256\n…`).
    pub fn open(&self, envelope: &str) -> Result<Vec<u8>, Error> {
        self.open_before(envelope, self.secrets.len())
    }

    /// Opens an inline vault: its text, which is a secret.
    pub fn open_text(&self, envelope: &str) -> Result<playbook_api::Value, Error> {
        String::from_utf8(self.open(envelope)?)
            .map(playbook_api::Value::secret)
            .map_err(|_| fault("the vault holds no UTF-8 text"))
    }

    /// Opens an envelope, and says by which secret.
    pub fn open_by(&self, envelope: &str) -> Result<(Vec<u8>, Opener), Error> {
        let label = Envelope::parse(envelope)?.id;
        let (plain, secret) = self.try_secrets(envelope, self.secrets.len())?;
        Ok((plain, Opener { secret, label }))
    }

    /// Seals a text again as it was before: by the same secret, with the same label.
    pub fn encrypt_as(&self, plaintext: &[u8], opener: &Opener) -> Result<String, Error> {
        self.seal(plaintext, opener.secret, opener.label.as_deref().unwrap_or(DEFAULT_ID))
    }

    /// With the first `count` secrets: a password file may be a vault, opened by those before it.
    fn open_before(&self, text: &str, count: usize) -> Result<Vec<u8>, Error> {
        if let Some(known) = sync::lock(&self.opened).get(text) {
            return Ok(known.to_vec());
        }
        let (plain, _) = self.try_secrets(text, count)?;
        let mut opened = sync::lock(&self.opened);
        opened.insert(text.to_owned(), plain.as_slice().into());
        Ok(plain)
    }

    /// What an envelope holds, and the position of the secret that opened it.
    fn try_secrets(&self, text: &str, count: usize) -> Result<(Vec<u8>, usize), Error> {
        if count == 0 {
            return Err(fault("Attempting to decrypt but no vault secrets found.").with_help(
                "Give the password with --vault-password-file, --vault-id or --ask-vault-pass, or set \
                 vault_password_file in ansible.cfg.",
            ));
        }
        let envelope = Envelope::parse(text)?;
        let id = envelope.id.as_deref().or(self.options.default_id.as_deref()).unwrap_or(DEFAULT_ID);
        let (matching, others): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|i| self.secrets[*i].id == id);
        let others = if self.options.match_ids { Vec::new() } else { others };
        let mut tried = Vec::new();
        for index in matching.into_iter().chain(others) {
            tried.push(self.secrets[index].id.as_str());
            if let Some(plain) = envelope.open(&self.password(index)?) {
                return Ok((plain, index));
            }
        }
        let named =
            envelope.id.as_deref().map(|id| format!(", which names vault id '{id}'")).unwrap_or_default();
        let tried = if tried.is_empty() { "none".to_owned() } else { tried.join(", ") };
        Err(fault("Decryption failed (no vault secrets were found that could decrypt).")
            .with_help(format!("Vault ids tried on this vault{named}: {tried}.")))
    }

    /// The password at a position, asked for once.
    fn password(&self, index: usize) -> Result<Arc<[u8]>, Error> {
        let secret = &self.secrets[index];
        secret.password.get_or_init(|| self.fetch(secret, index)).clone()
    }

    fn fetch(&self, secret: &Secret, index: usize) -> Result<Arc<[u8]>, Error> {
        let (password, from) = match &secret.source {
            Source::Prompt(prompt) => (self.prompt(&secret.id, prompt)?, String::new()),
            Source::File(path) => {
                let bytes = crate::paths::read(path).map_err(|e| cannot_read(path, e))?;
                let bytes = bytes.trim_ascii().to_vec();
                let bytes = if super::is_envelope(&bytes) {
                    self.open_before(&String::from_utf8_lossy(&bytes), index)?
                } else {
                    bytes
                };
                (bytes, format!(" from file ({})", path.display()))
            }
            Source::Script { path, client } => {
                let id = client.then_some(secret.id.as_str());
                (run(path, id)?, format!(" from script ({})", path.display()))
            }
        };
        let is_end = |b: &u8| matches!(b, b'\r' | b'\n');
        let start = password.iter().position(|b| !is_end(b)).unwrap_or(password.len());
        let end = password.iter().rposition(|b| !is_end(b)).map_or(start, |last| last + 1);
        match &password[start..end] {
            [] => Err(fault(format!("Invalid vault password was provided{from}"))),
            password => Ok(password.into()),
        }
    }

    fn prompt(&self, id: &str, prompt: &str) -> Result<Vec<u8>, Error> {
        let ask = self.options.ask.as_ref().ok_or_else(|| {
            fault(format!("A vault password is needed ({id}), but there is no terminal to ask for it"))
                .with_help("Give the password with --vault-password-file or --vault-id.")
        })?;
        let (first, again) = match (self.options.confirm, prompt) {
            (false, "prompt") => (format!("Vault password ({id}): "), None),
            (false, _) => ("Vault password: ".to_owned(), None),
            (true, "prompt") => {
                (format!("New vault password ({id}): "), Some(format!("Confirm new vault password ({id}): ")))
            }
            (true, _) => ("New Vault password: ".to_owned(), Some("Confirm New Vault password: ".to_owned())),
        };
        let password = ask(&first)?;
        if let Some(again) = again
            && ask(&again)? != password
        {
            return Err(fault("Passwords do not match"));
        }
        Ok(password.trim().as_bytes().to_vec())
    }

    /// Encrypts with the secret of an id; without one, with that of `vault_encrypt_identity` or the only one.
    pub fn encrypt(&self, plaintext: &[u8], id: Option<&str>) -> Result<String, Error> {
        let wanted = id.or(self.options.encrypt_id.as_deref());
        let index = match wanted {
            Some(wanted) => self.secrets.iter().position(|s| s.id == wanted).ok_or_else(|| {
                let known: Vec<String> = self.ids().map(|id| format!("'{id}'")).collect();
                fault(format!(
                    "Did not find a match for --encrypt-vault-id={wanted} in the known vault-ids [{}]",
                    known.join(", ")
                ))
            })?,
            None if self.secrets.is_empty() => {
                return Err(fault("A vault password is required to encrypt")
                    .with_help("Give one with --vault-password-file, --vault-id or --ask-vault-pass."));
            }
            None => 0,
        };
        self.seal(plaintext, index, &self.secrets[index].id)
    }

    fn seal(&self, plaintext: &[u8], index: usize, label: &str) -> Result<String, Error> {
        let password = self.password(index)?;
        let salt = match &self.options.encrypt_salt {
            Some(salt) => salt.as_bytes().to_vec(),
            None => rand::random::<[u8; 32]>().to_vec(),
        };
        envelope::seal(plaintext, &password, Some(label), &salt)
            .ok_or_else(|| fault("the vault could not be sealed").with_kind(ErrorKind::Internal))
    }
}

impl Source {
    fn find(id: &str, source: &str) -> Result<Source, Error> {
        if matches!(source, "prompt" | "prompt_ask_vault_pass") {
            return Ok(Source::Prompt(source.to_owned()));
        }
        let path = absolute(&expand_home(source));
        let metadata = std::fs::metadata(&path).map_err(|_| {
            fault(format!("The vault password file {} was not found", path.display()))
                .with_help(format!("Check the path given for vault id '{id}'."))
        })?;
        if metadata.is_dir() {
            let path = path.display();
            return Err(fault(format!("The vault password file provided '{path}' can not be a directory")));
        }
        if metadata.permissions().mode() & 0o111 == 0 {
            return Ok(Source::File(path));
        }
        let client = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
        Ok(Source::Script { path, client })
    }
}

/// Runs a password script; one that is a client is told the id it is asked for.
fn run(path: &Path, id: Option<&str>) -> Result<Vec<u8>, Error> {
    let shown = path.display();
    let mut command = Command::new(path);
    if let Some(id) = id {
        command.args(["--vault-id", id]);
    }
    // A plain script may prompt the user on stderr.
    let stderr = if id.is_some() { std::process::Stdio::piped() } else { std::process::Stdio::inherit() };
    let output = command.stderr(stderr).output().map_err(|e| {
        fault(format!("Problem running vault password script {shown} ({e})."))
            .with_help("If this is not a script, remove the executable bit from the file.")
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let code = output.status.code().unwrap_or(-1);
    Err(fault(match (id, code) {
        (Some(id), 2) => {
            format!("Vault password client script {shown} did not find a secret for vault-id={id}: {said}")
        }
        (Some(id), code) => format!(
            "Vault password client script {shown} returned non-zero ({code}) when getting secret for \
            vault-id={id}: {said}"
        ),
        (None, code) => format!("Vault password script {shown} returned non-zero ({code})"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ansible-vault encrypt_string` with the password `secret`.
    const BY_ANSIBLE: &str = include_str!("testdata/by_ansible.vault");

    fn message(error: &Error) -> String {
        format!("{error} {}", error.help().unwrap_or(""))
    }

    #[test]
    fn opens_what_ansible_sealed() {
        let keyring = Keyring::with_password("default", "secret");
        assert_eq!(keyring.open(BY_ANSIBLE).unwrap(), b"hello world");
        let indented = BY_ANSIBLE.replace('\n', "\n      ");
        assert_eq!(keyring.open(&indented).unwrap(), b"hello world");
        assert!(keyring.open_text(BY_ANSIBLE).unwrap().is_secret());
    }

    #[test]
    fn opens_what_it_sealed() {
        let keyring = Keyring::with_password("prod", "secret");
        for text in ["", "x", "sixteen letters!", &"long ".repeat(100)] {
            let sealed = keyring.encrypt(text.as_bytes(), None).unwrap();
            assert!(sealed.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
            assert!(sealed.lines().all(|line| line.len() <= 80));
            assert_eq!(keyring.open(&sealed).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn errors_name_the_ids() {
        let wrong = Keyring::with_password("other", "wrong");
        let error = wrong.open(BY_ANSIBLE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Vault);
        assert!(message(&error).contains("tried on this vault: other"), "{}", message(&error));
        let error = Keyring::default().open(BY_ANSIBLE).unwrap_err();
        assert!(message(&error).contains("no vault secrets found"));
        let error = wrong.encrypt(b"", Some("x")).unwrap_err();
        assert!(message(&error).contains("--encrypt-vault-id=x in the known vault-ids ['other']"));
        for broken in [
            "",
            "$ANSIBLE_VAULT;1.1;AES256\nxyz",
            "$ANSIBLE_VAULT;9;AES256\n00",
            "$ANSIBLE_VAULT;1.1;AES256\n00",
        ] {
            assert!(wrong.open(broken).is_err());
        }
    }

    #[test]
    fn passwords_come_from_files_scripts_and_prompts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pass");
        std::fs::write(&file, "secret\n").unwrap();
        let script = dir.path().join("pass-client.sh");
        std::fs::write(&script, "#!/bin/sh\n[ \"$2\" = prod ] || exit 2\necho secret\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let open = |ids: Vec<String>, ask: Option<Ask>| {
            let (keyring, _) = Keyring::new(Options { ids, ask, ..Options::default() })?;
            keyring.open(BY_ANSIBLE)
        };
        assert!(open(vec![file.display().to_string()], None).is_ok());
        assert!(open(vec![format!("prod@{}", script.display())], None).is_ok());
        let error = open(vec![format!("dev@{}", script.display())], None).unwrap_err();
        assert!(error.to_string().contains("did not find a secret for vault-id=dev"), "{error}");
        let ask: Ask = Arc::new(|prompt| {
            assert_eq!(prompt, "Vault password (x): ");
            Ok("secret".into())
        });
        assert!(open(vec!["x@prompt".into()], Some(ask)).is_ok());
        assert!(open(vec!["x@/nowhere".into()], None).unwrap_err().to_string().contains("was not found"));
        let two = vec!["x@/nowhere".to_owned(), file.display().to_string()];
        let (_, warnings) = Keyring::new(Options { ids: two, ..Options::default() }).unwrap();
        assert!(warnings[0].message().starts_with("Error getting vault password file (x)"));
    }

    #[test]
    fn ids_may_have_to_match() {
        let sealed = Keyring::with_password("prod", "secret").encrypt(b"x", None).unwrap();
        let mut keyring = Keyring::with_password("dev", "secret");
        assert!(keyring.open(&sealed).is_ok());
        keyring = Keyring::with_password("dev", "secret");
        keyring.options.match_ids = true;
        assert!(keyring.open(&sealed).is_err());
    }
}
