//! The session of a subcommand: its settings, vault secrets, project and modules.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use playbook_api::{Context, Error, ErrorKind, Plugins, Redactor, Registry};

use super::{Fault, Register, ask, search};
use crate::foreign::Foreign;
use crate::settings::{Project, Settings, Surroundings};
use crate::vault::{self, Keyring};

/// The sources of vault secrets.
#[derive(Args, Clone, Debug, Default)]
pub struct VaultArgs {
    /// A vault identity: NAME@FILE, NAME@prompt or FILE. The option can be repeated
    #[arg(long = "vault-id", value_name = "VAULT_IDS", help_heading = "Vault options")]
    pub ids: Vec<String>,
    /// A file with the vault password, or a program that prints it. The option can be repeated
    #[arg(
        long = "vault-password-file",
        visible_alias = "vault-pass-file",
        value_name = "FILE",
        help_heading = "Vault options",
        conflicts_with = "ask"
    )]
    pub password_files: Vec<PathBuf>,
    /// Ask for the vault password
    #[arg(
        short = 'J',
        long = "ask-vault-password",
        visible_alias = "ask-vault-pass",
        help_heading = "Vault options"
    )]
    pub ask: bool,
}

impl VaultArgs {
    /// Returns the options of the keyring from the settings and these flags.
    pub fn options(&self, settings: &Settings) -> vault::Options {
        let mut ids = settings.vault_identity_list.clone();
        ids.extend(self.ids.iter().cloned());
        let mut password_files: Vec<PathBuf> = settings.vault_password_file.iter().cloned().collect();
        password_files.extend(self.password_files.iter().map(|path| crate::paths::absolute(path)));
        vault::Options {
            ids,
            password_files,
            ask_pass: self.ask || settings.ask_vault_pass,
            default_id: settings.default_vault_id.clone(),
            match_ids: settings.vault_id_match,
            encrypt_id: settings.vault_encrypt_identity.clone(),
            encrypt_salt: settings.vault_encrypt_salt.clone(),
            ask: Some(Arc::new(ask::password)),
            ..vault::Options::default()
        }
    }
}

/// The session of a subcommand.
pub struct Session {
    /// The settings.
    pub settings: Settings,
    /// The vault secrets.
    pub keyring: Arc<Keyring>,
    /// The context of modules, with all that are built in.
    pub context: Context,
    /// Whether the program was started as `playbook`. Under the names of Ansible's programs it behaves exactly as they
    /// do.
    pub by_project: bool,
    /// The warnings to print first.
    pub warnings: Vec<Error>,
}

impl Session {
    /// Returns the modules and plugins in other languages, and the context with them. The settings must be complete.
    pub fn foreign(&self, verbosity: u8) -> (Arc<Foreign>, Context) {
        let foreign = Foreign::new(&self.settings, verbosity).with_registry(self.context.registry.clone());
        let foreign = Arc::new(foreign);
        let plugins: Arc<dyn Plugins> = foreign.clone();
        (foreign, Context { verbosity, plugins: Some(plugins), ..self.context.clone() })
    }

    /// Reads the settings and opens the keyring.
    pub fn new(vault: &VaultArgs, register: Register, by_project: bool) -> Result<Session, Fault> {
        let (settings, mut warnings) = settings(by_project)?;
        let (keyring, more) = Keyring::new(vault.options(&settings))?;
        warnings.extend(more);
        let mut registry = Registry::default();
        register(&mut registry);
        let context =
            Context { registry: Arc::new(registry), redactor: Redactor::default(), ..Context::default() };
        Ok(Session { by_project, settings, keyring: Arc::new(keyring), context, warnings })
    }
}

/// Reads the settings, and returns warnings with them. Ansible's programs know no project, so exactly Ansible's rules
/// apply under their names.
pub(super) fn settings(by_project: bool) -> Result<(Settings, Vec<Error>), Fault> {
    settings_of(Surroundings::of_process(), by_project)
}

/// Reads the settings in surroundings that may differ from those of the process.
pub(super) fn settings_of(
    mut surroundings: Surroundings,
    by_project: bool,
) -> Result<(Settings, Vec<Error>), Fault> {
    let project = if by_project { Project::find(&surroundings.directory) } else { None };
    let given = surroundings.variables.contains_key("ANSIBLE_CONFIG");
    let here = surroundings.directory.join("ansible.cfg").exists();
    if let Some(file) = project.as_ref().and_then(Project::config_file).filter(|_| !given && !here) {
        surroundings.variables.insert("ANSIBLE_CONFIG".into(), file.to_string_lossy().into_owned());
    }
    let (mut settings, warnings) = Settings::load(&surroundings).map_err(Fault::options)?;
    if let Some(roles) =
        project.as_ref().map(Project::roles).filter(|roles| !settings.roles_path.contains(roles))
    {
        settings.roles_path.push(roles);
    }
    settings.project = project;
    settings.own_rules = by_project;
    if !by_project {
        // Ansible's programs create this directory. Nothing here needs it, so a failure does not matter.
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&settings.local_tmp);
    }
    Ok((settings, warnings))
}

/// Returns the inventory sources: those of the command line, otherwise those of the settings. A name on the command
/// line is also searched in the project.
pub(super) fn inventory_sources(given: &[String], settings: &Settings) -> Vec<String> {
    match &settings.project {
        _ if given.is_empty() => settings.inventory.clone(),
        Some(project) => given.iter().map(|source| project.inventory(source)).collect(),
        None => given.to_vec(),
    }
}

/// Rejects inventory files on the command line that do not exist. Ansible's programs only print a warning, and
/// continue with the implicit localhost.
pub(super) fn require_inventories(given: &[String], settings: &Settings) -> Result<(), Error> {
    for (name, source) in given.iter().zip(inventory_sources(given, settings)) {
        let path = crate::paths::expand_home(Path::new(&source));
        if source.is_empty() || source.contains([',', ':']) || path.exists() {
            continue;
        }
        let project = settings.project.as_ref().map(|project| project.root.join("inventory"));
        return Err(Error::new(format!("the inventory '{name}' could not be found"))
            .with_kind(ErrorKind::NotFound)
            .with_help(search::advice(Path::new(name), project)));
    }
    Ok(())
}
