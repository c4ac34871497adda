//! `playbook vault`, which is also `ansible-vault`.

use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use playbook_api::{Error, ErrorKind};

use super::Fault;
use super::ask;
use super::session::{self, VaultArgs};
use crate::report::{format_error, output};
use crate::settings::Settings;
use crate::vault::{self, Keyring, Opener};

/// Encrypts and decrypts files and values.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  playbook vault encrypt group_vars/all/secrets.yml
  playbook vault edit group_vars/all/secrets.yml
  playbook vault encrypt_string --name db_password     A value for a YAML file, from standard input
  playbook vault rekey --vault-password-file old --new-vault-password-file new secrets.yml")]
pub(super) struct Vault {
    /// Print more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Encrypts files in place.
    Encrypt(Encrypt),
    /// Decrypts files in place.
    Decrypt(Decrypt),
    /// Prints decrypted files, and leaves the files as they are.
    View(View),
    /// Opens the editor for a new encrypted file.
    Create(Create),
    /// Opens an encrypted file in the editor.
    Edit(Edit),
    /// Encrypts files with another password.
    Rekey(Rekey),
    /// Prints values as `!vault` variables for a YAML file.
    #[command(name = "encrypt_string", visible_alias = "encrypt-string")]
    EncryptString(EncryptString),
}

#[derive(Args)]
struct Encrypt {
    #[command(flatten)]
    vault: VaultArgs,
    /// The vault ID to encrypt with, if there are several
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// The file for the result of one file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The files (default: standard input)
    files: Vec<PathBuf>,
}

#[derive(Args)]
struct Decrypt {
    #[command(flatten)]
    vault: VaultArgs,
    /// The file for the result of one file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The files (default: standard input)
    files: Vec<PathBuf>,
}

#[derive(Args)]
struct View {
    #[command(flatten)]
    vault: VaultArgs,
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Args)]
struct Create {
    #[command(flatten)]
    vault: VaultArgs,
    /// The vault ID to encrypt with, if there are several
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// Start the editor even without a terminal
    #[arg(long)]
    skip_tty_check: bool,
    /// The file.
    file: PathBuf,
}

#[derive(Args)]
struct Edit {
    #[command(flatten)]
    vault: VaultArgs,
    /// The vault ID to encrypt with (default: that of the file)
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Args)]
struct Rekey {
    #[command(flatten)]
    vault: VaultArgs,
    /// The new vault identity: NAME@FILE, NAME@prompt or FILE
    #[arg(long, value_name = "ID")]
    new_vault_id: Option<String>,
    /// The vault ID to encrypt with, if there are several
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// A file with the new password, or a program that prints it
    #[arg(long, visible_alias = "new-vault-pass-file", value_name = "FILE", conflicts_with = "new_vault_id")]
    new_vault_password_file: Option<PathBuf>,
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Args)]
struct EncryptString {
    #[command(flatten)]
    vault: VaultArgs,
    /// The vault ID to encrypt with, if there are several
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// The name of the variable. The option can be repeated, once for each value
    #[arg(short, long, value_name = "NAME")]
    name: Vec<String>,
    /// The name of the variable for the value from standard input
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// Ask for the value
    #[arg(short, long)]
    prompt: bool,
    /// Show the value while it is typed
    #[arg(long)]
    show_input: bool,
    /// The file for the result
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The values; `-` is standard input
    values: Vec<String>,
}

impl Vault {
    pub(super) fn run(self, by_project: bool) -> Result<u8, Fault> {
        let (settings, _) = session::settings(by_project)?;
        match self.action {
            Action::Encrypt(options) => encrypt(&settings, &options),
            Action::Decrypt(options) => decrypt(&settings, &options),
            Action::View(options) => {
                let keyring = keyring(&settings, &options.vault, false)?;
                options.files.iter().try_for_each(|file| Ok(put(None, &open(&keyring, file)?)?))
            }
            Action::Create(options) => create(&settings, &options),
            Action::Edit(options) => edit(&settings, &options),
            Action::Rekey(options) => rekey(&settings, &options),
            Action::EncryptString(options) => encrypt_string(&settings, &options),
        }?;
        Ok(0)
    }
}

/// Returns the secrets. If none is configured, the password is asked for.
fn keyring(settings: &Settings, args: &VaultArgs, new: bool) -> Result<Keyring, Error> {
    let mut options = args.options(settings);
    options.confirm = new;
    options.ask_pass |= options.ids.is_empty() && options.password_files.is_empty();
    let (keyring, warnings) = Keyring::new(options)?;
    for warning in warnings {
        super::warn(&format_error(&warning));
    }
    Ok(keyring)
}

/// Returns the secrets to encrypt with. If there are several, the vault ID must be given.
fn sealing(settings: &Settings, args: &VaultArgs, id: Option<&str>) -> Result<Keyring, Fault> {
    let keyring = keyring(settings, args, true)?;
    let ids: Vec<&str> = keyring.ids().collect();
    if ids.len() > 1 && id.is_none() && settings.vault_encrypt_identity.is_none() {
        return Err(Fault::options(Error::new(format!(
            "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id",
            ids.join(",")
        ))));
    }
    Ok(keyring)
}

fn encrypt(settings: &Settings, options: &Encrypt) -> Result<(), Fault> {
    one_output(&options.output, &options.files)?;
    let id = options.encrypt_vault_id.as_deref();
    let keyring = sealing(settings, &options.vault, id)?;
    for file in sources(&options.files) {
        let plain = read(file)?;
        if vault::is_envelope(&plain) {
            let help = match file {
                Some(file) => format!("{} is a vault; 'rekey' gives it another password.", file.display()),
                None => "Standard input holds a vault.".into(),
            };
            return Err(Error::new("input is already encrypted").with_help(help).into());
        }
        let sealed = keyring.encrypt(&plain, id)?;
        put(target(file, &options.output), sealed.as_bytes())?;
    }
    done("Encryption successful");
    Ok(())
}

fn decrypt(settings: &Settings, options: &Decrypt) -> Result<(), Fault> {
    one_output(&options.output, &options.files)?;
    let keyring = keyring(settings, &options.vault, false)?;
    for file in sources(&options.files) {
        let (plain, _) = unseal(&keyring, &read(file)?, file)?;
        put(target(file, &options.output), &plain)?;
    }
    done("Decryption successful");
    Ok(())
}

fn create(settings: &Settings, options: &Create) -> Result<(), Fault> {
    if options.file.exists() {
        let message = format!("{} exists, please use 'edit' instead", options.file.display());
        return Err(Error::new(message).into());
    }
    if !options.skip_tty_check && !std::io::stdin().is_terminal() {
        let error = Error::new("not a tty, editor cannot be opened");
        return Err(error.with_help("Use --skip-tty-check to start it anyway.").into());
    }
    let id = options.encrypt_vault_id.as_deref();
    let keyring = sealing(settings, &options.vault, id)?;
    let plain = in_editor(settings, b"")?;
    Ok(put(Some(&options.file), keyring.encrypt(&plain, id)?.as_bytes())?)
}

fn edit(settings: &Settings, options: &Edit) -> Result<(), Fault> {
    let keyring = keyring(settings, &options.vault, false)?;
    for file in &options.files {
        let (before, opener) = unseal(&keyring, &read(Some(file))?, Some(file))?;
        let after = in_editor(settings, &before)?;
        if after != before {
            let sealed = match &options.encrypt_vault_id {
                Some(id) => keyring.encrypt(&after, Some(id)),
                None => keyring.encrypt_as(&after, &opener),
            };
            put(Some(file), sealed?.as_bytes())?;
        }
    }
    Ok(())
}

fn rekey(settings: &Settings, options: &Rekey) -> Result<(), Fault> {
    let old = keyring(settings, &options.vault, false)?;
    let args = VaultArgs {
        ids: options.new_vault_id.iter().cloned().collect(),
        password_files: options.new_vault_password_file.iter().cloned().collect(),
        ask: options.new_vault_id.is_none() && options.new_vault_password_file.is_none(),
    };
    let mut wanted = args.options(settings);
    wanted.ids = args.ids.clone();
    wanted.password_files = args.password_files.iter().map(|file| crate::paths::absolute(file)).collect();
    (wanted.ask_pass, wanted.confirm, wanted.encrypt_id) = (args.ask, true, None);
    let (new, _) = Keyring::new(wanted)?;
    // All files are decrypted before the first one is written, so that a wrong password changes none.
    let opened =
        options.files.iter().map(|file| Ok((file, open(&old, file)?))).collect::<Result<Vec<_>, Error>>()?;
    for (file, plain) in opened {
        put(Some(file), new.encrypt(&plain, options.encrypt_vault_id.as_deref())?.as_bytes())?;
    }
    done("Rekey successful");
    Ok(())
}

fn encrypt_string(settings: &Settings, options: &EncryptString) -> Result<(), Fault> {
    let keyring = sealing(settings, &options.vault, options.encrypt_vault_id.as_deref())?;
    let mut values: Vec<(Option<String>, String)> = Vec::new();
    let reads_input = options.values.is_empty() && !options.prompt || options.values.iter().any(|v| v == "-");
    if options.prompt {
        let name = options.name.first().cloned();
        let value = if options.show_input {
            eprint!("String to encrypt: ");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line.trim_end_matches('\n').to_owned()
        } else {
            ask::password("String to encrypt (hidden): ")?
        };
        values.push((name, value));
    }
    if reads_input {
        if std::io::stdin().is_terminal() {
            let name = options
                .stdin_name
                .as_deref()
                .map_or(String::new(), |name| format!(" for variable named \"{name}\""));
            output::error(&format!(
                "Reading plaintext input from stdin{name}. \
                 (ctrl-d to end input, twice if your content does not already have a newline)\n"
            ));
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        if text.is_empty() {
            return Err(Fault::options(Error::new("stdin was empty, not encrypting")));
        }
        values.push((options.stdin_name.clone(), text));
    }
    let given = options.values.iter().filter(|value| *value != "-");
    for (index, value) in given.enumerate() {
        if value.is_empty() {
            let message = "The plaintext provided from the command line args was empty, not encrypting";
            return Err(Fault::options(Error::new(message)));
        }
        values.push((options.name.get(index).cloned(), value.clone()));
    }
    let mut out = String::new();
    for (name, value) in values {
        let sealed = keyring.encrypt(value.as_bytes(), options.encrypt_vault_id.as_deref())?;
        if let Some(name) = name {
            out += &format!("{name}: ");
        }
        out += "!vault |\n";
        for line in sealed.lines() {
            out += &format!("          {line}\n");
        }
    }
    put(options.output.as_deref(), out.as_bytes())?;
    done("Encryption successful");
    Ok(())
}

fn done(text: &str) {
    if std::io::stdout().is_terminal() {
        output::error(&format!("{text}\n"));
    }
}

fn one_output(output: &Option<PathBuf>, files: &[PathBuf]) -> Result<(), Fault> {
    if output.is_some() && files.len() > 1 {
        let message = "At most one input file may be used with the --output option";
        return Err(Fault::options(Error::new(message)));
    }
    Ok(())
}

/// Returns the files, or standard input.
fn sources(files: &[PathBuf]) -> Vec<Option<&Path>> {
    if files.is_empty() { vec![None] } else { files.iter().map(|file| Some(file.as_path())).collect() }
}

fn target<'a>(file: Option<&'a Path>, output: &'a Option<PathBuf>) -> Option<&'a Path> {
    output.as_deref().or(file)
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, Error> {
    match file.filter(|file| *file != Path::new("-")) {
        Some(file) => {
            std::fs::read(file).map_err(|e| Error::io(&e, format!("Could not read '{}'", file.display())))
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|e| Error::io(&e, "cannot read standard input"))?;
            Ok(bytes)
        }
    }
}

fn open(keyring: &Keyring, file: &Path) -> Result<Vec<u8>, Error> {
    unseal(keyring, &read(Some(file))?, Some(file)).map(|(plain, _)| plain)
}

fn unseal(keyring: &Keyring, bytes: &[u8], file: Option<&Path>) -> Result<(Vec<u8>, Opener), Error> {
    let name = file.map_or("standard input".into(), |file| file.display().to_string());
    if !vault::is_envelope(bytes) {
        return Err(
            Error::new(format!("Input is not vault encrypted data: {name}")).with_kind(ErrorKind::Vault)
        );
    }
    let opened = keyring.open_by(&String::from_utf8_lossy(bytes));
    opened.map_err(|e| e.context(format!("Could not decrypt {name}")))
}

/// Writes a file that only its owner can read, or standard output. An existing file is replaced atomically.
fn put(file: Option<&Path>, bytes: &[u8]) -> Result<(), Error> {
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        output::standard_bytes(bytes);
        return Ok(());
    };
    let failed = |e: std::io::Error| Error::io(&e, format!("Could not write '{}'", file.display()));
    let directory = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    temporary.write_all(bytes).map_err(failed)?;
    temporary.persist(file).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Lets the user edit a text, and returns the result. The text is in a file that only its owner can read, which is
/// overwritten before it is removed.
fn in_editor(settings: &Settings, text: &[u8]) -> Result<Vec<u8>, Error> {
    let directory = tempfile::tempdir().map_err(|e| Error::io(&e, "cannot create a temporary directory"))?;
    let path = directory.path().join("vault.yml");
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| Error::io(&e, format!("cannot create {}", path.display())))?;
    file.write_all(text).map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
    drop(file);
    let mut words = settings.editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = std::process::Command::new(program).args(words).arg(&path).status();
    let edited = std::fs::read(&path);
    if let Ok(metadata) = std::fs::metadata(&path) {
        let _ = std::fs::write(&path, vec![0; usize::try_from(metadata.len()).unwrap_or(0)]);
    }
    match status {
        Ok(status) if status.success() => {
            edited.map_err(|e| Error::io(&e, format!("cannot read {}", path.display())))
        }
        Ok(status) => {
            Err(Error::new(format!("The editor '{program}' ended with {status}; nothing was written")))
        }
        Err(e) => Err(Error::new(format!("Unable to open editor '{program}': {e}")).with_help("Set EDITOR.")),
    }
}
