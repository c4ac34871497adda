//! `playbook inventory`, which is also `ansible-inventory`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use playbook_api::{Error, ErrorKind};

use super::common::{self, InventoryArgs};
use super::session::{self, Session, VaultArgs};
use super::{Fault, Register, show};
use crate::inventory::{Format, Inventory as Hosts, Printer, extra_vars, import_terraform};
use crate::report::format_error;

/// Shows the hosts and groups of an inventory, and their variables.
#[derive(Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  playbook inventory -i hosts.ini --graph                  The tree of groups and hosts
  playbook inventory -i hosts.ini --list -y                All hosts and variables as YAML
  playbook inventory -i hosts.ini --host web1              The variables of a host
  playbook inventory import-terraform infra -o hosts.yml   A static inventory of Terraform's outputs"
)]
pub(super) struct Inventory {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    show: Show,
}

#[derive(Subcommand)]
enum Action {
    /// Writes a static inventory from the outputs of a Terraform state.
    ImportTerraform(ImportTerraform),
}

#[derive(Args)]
struct Show {
    /// Print all hosts, groups and variables
    #[arg(long, group = "what")]
    list: bool,
    /// Print the variables of one host
    #[arg(long, value_name = "HOST", group = "what")]
    host: Option<String>,
    /// Print the tree of groups and hosts
    #[arg(long, group = "what")]
    graph: bool,
    #[command(flatten)]
    hosts: InventoryArgs,
    /// Print YAML instead of JSON
    #[arg(short, long)]
    yaml: bool,
    /// Print TOML instead of JSON
    #[arg(long, conflicts_with = "yaml")]
    toml: bool,
    /// Show variables in the tree
    #[arg(long)]
    vars: bool,
    /// Show each variable where it is defined, instead of all variables of each host
    #[arg(long)]
    export: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The directory that stands for the playbook's, with group_vars and host_vars
    #[arg(long, value_name = "DIRECTORY")]
    playbook_dir: Option<PathBuf>,
    /// Print more
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Delete the cached facts of all hosts of the inventory
    #[arg(long, hide = true)]
    flush_cache: bool,
    #[command(flatten)]
    vault: VaultArgs,
    /// The group at the top of the tree
    group: Option<String>,
}

#[derive(Args)]
struct ImportTerraform {
    /// A directory with Terraform files, a .tfstate file, the output of `terraform output -json` or an s3:// URL
    location: String,
    /// The Terraform workspace
    #[arg(long)]
    workspace: Option<String>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultArgs,
}

impl Inventory {
    pub(super) fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        match self.action {
            Some(Action::ImportTerraform(options)) => {
                let session = Session::new(&options.vault, register, by_project)?;
                let text = import_terraform(
                    &options.location,
                    options.workspace.as_deref(),
                    &session.keyring,
                    &session.context,
                )?;
                Ok(put(&text, options.output.as_ref())?)
            }
            None => self.show.run(register, by_project),
        }
    }
}

impl Show {
    fn run(self, register: Register, by_project: bool) -> Result<u8, Fault> {
        if !self.list && !self.graph && self.host.is_none() {
            let message =
                "No action selected, at least one of --host, --graph or --list needs to be specified.";
            return Err(Fault::options(Error::new(message)));
        }
        let session = Session::new(&self.vault, register, by_project)?;
        let settings = &session.settings;
        if by_project {
            session::require_inventories(&self.hosts.inventory, settings)?;
        }
        let sources = session::inventory_sources(&self.hosts.inventory, settings);
        let warn = |warning: Error| super::warn(&format_error(&warning));
        let extra = extra_vars(&self.hosts.extra_vars, &session.keyring, settings, warn)?;
        let (foreign, context) = session.foreign(self.verbose);
        let directory = common::playbook_directory(self.playbook_dir.as_deref(), settings);
        foreign.add_playbook(&directory.clone().unwrap_or_else(crate::paths::here));
        let (mut inventory, warnings) = Hosts::load(&sources, settings, &session.keyring, &context, &extra)?;
        for warning in session.warnings.iter().chain(&warnings) {
            super::warn(&format_error(warning));
        }
        inventory.beside_playbook(vec![directory.unwrap_or_else(crate::paths::here)]);
        let limited = match &self.hosts.limit {
            Some(limit) => {
                let (hosts, warnings) = inventory.select(limit, settings)?;
                warnings.iter().for_each(|warning| crate::cli::warn(warning));
                Some(hosts)
            }
            None => None,
        };
        let format = match (self.yaml, self.toml) {
            (true, _) => Format::Yaml,
            (_, true) => Format::Toml,
            _ => Format::Json,
        };
        let export = self.export || settings.inventory_export;
        let printer =
            Printer { inventory: &inventory, extra: &extra, format, export, limit: limited.as_deref() };
        let text = match &self.host {
            Some(host) => {
                let (_, warnings) = inventory.select(host, settings)?;
                warnings.iter().for_each(|warning| crate::cli::warn(warning));
                printer.host(host).map_err(refused)?
            }
            None if self.graph => {
                printer.graph(self.group.as_deref().unwrap_or("all"), self.vars).map_err(refused)?
            }
            None => printer.list()?,
        };
        if text.trim().is_empty() {
            // An empty inventory is empty TOML.
            return Ok(1);
        }
        Ok(put(&text, self.output.as_ref())?)
    }
}

/// Makes an error one of the options, unless a file cannot be parsed.
fn refused(error: Error) -> Fault {
    if error.kind() == ErrorKind::Syntax { error.into() } else { Fault::options(error) }
}

fn put(text: &str, output: Option<&PathBuf>) -> Result<u8, Error> {
    match output {
        Some(path) => std::fs::write(path, text).map_err(|e| {
            Error::io(&e, format!("Unable to write to destination file ({})", path.display()))
        })?,
        None if text.ends_with('\n') => show(text),
        None => say!("{text}"),
    }
    Ok(0)
}
