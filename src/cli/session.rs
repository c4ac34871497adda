//! What most subcommands start with: settings, vault secrets, the project, the modules.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use playbook_api::{Context, Error, Plugins, Redactor, Registry};

use super::{Fault, Register, ask};
use crate::foreign::Foreign;
use crate::settings::{Project, Settings, Surroundings};
use crate::vault::{self, Keyring};

/// Where the secrets of vaults come from.
#[derive(Args, Clone, Debug, Default)]
pub struct VaultArgs {
    /// The vault identity to use (NAME@FILE, NAME@prompt, or FILE); may be given several times.
    #[arg(long = "vault-id", value_name = "VAULT_IDS", help_heading = "Vault options")]
    pub ids: Vec<String>,
    /// A file (or program) with the vault password; may be given several times.
    #[arg(
        long = "vault-password-file",
        visible_alias = "vault-pass-file",
        value_name = "FILE",
        help_heading = "Vault options",
        conflicts_with = "ask"
    )]
    pub password_files: Vec<PathBuf>,
    /// Ask for the vault password.
    #[arg(
        short = 'J',
        long = "ask-vault-password",
        visible_alias = "ask-vault-pass",
        help_heading = "Vault options"
    )]
    pub ask: bool,
}

impl VaultArgs {
    /// What the settings and these flags say together.
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

/// Settings, vault secrets, the modules.
pub struct Session {
    pub settings: Settings,
    pub keyring: Arc<Keyring>,
    pub context: Context,
    /// Called as `playbook`, and not by the name of one of Ansible's programs, which promises exactly their ways.
    pub by_project: bool,
    /// What is to be told before anything else.
    pub warnings: Vec<Error>,
}

impl Session {
    /// The modules and plugins in other languages, and the context with them; once the settings are complete.
    pub fn foreign(&self, verbosity: u8) -> (Arc<Foreign>, Context) {
        let foreign = Arc::new(Foreign::new(&self.settings, verbosity));
        let plugins: Arc<dyn Plugins> = foreign.clone();
        (foreign, Context { verbosity, plugins: Some(plugins), ..self.context.clone() })
    }

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

/// The settings, and what there is to warn about. Called by the name of one of Ansible's programs there is no
/// project: then exactly Ansible's rules apply.
pub fn settings(by_project: bool) -> Result<(Settings, Vec<Error>), Fault> {
    settings_of(Surroundings::of_process(), by_project)
}

/// As [`settings`], in surroundings that may not be the process's own.
pub fn settings_of(
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
    if !by_project {
        // Ansible's programs leave this folder behind. Nothing here needs it: where it cannot be made, it is missing.
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&settings.local_tmp);
    }
    Ok((settings, warnings))
}

/// The inventory sources: those given, else those of the settings; by their names in the project.
pub fn inventory_sources(given: &[String], settings: &Settings) -> Vec<String> {
    let sources = if given.is_empty() { &settings.inventory } else { given };
    sources
        .iter()
        .map(|source| match &settings.project {
            Some(project) if !given.is_empty() => project.inventory(source),
            _ => source.clone(),
        })
        .collect()
}
