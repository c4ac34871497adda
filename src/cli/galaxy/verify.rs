//! `collection verify`: compares the files of installed collections with the published ones.

use std::path::{Path, PathBuf};

use clap::Args;
use playbook_api::Error;

use super::{artifact, server};
use crate::paths;
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Verify {
    /// The directory to search (default: all of collections_path)
    #[arg(short = 'p', long, value_name = "DIRECTORY")]
    collections_path: Option<PathBuf>,
    /// Compare with the collection's own list of files, and do not query a server
    #[arg(long)]
    offline: bool,
    /// Continue after a collection that cannot be compared
    #[arg(short, long)]
    ignore_errors: bool,
    /// The URL of the Galaxy server, or its name in server_list
    #[arg(short, long, value_name = "SERVER")]
    server: Option<String>,
    /// The collections: NAMESPACE.NAME or NAMESPACE.NAME:VERSION
    #[arg(required = true)]
    collections: Vec<String>,
}

impl Verify {
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Error> {
        let mut failed = false;
        for given in &self.collections {
            let (name, version) = given.split_once(':').map_or((given.as_str(), None), |(n, v)| (n, Some(v)));
            match self.one(&artifact::checked(name)?, version, settings) {
                Ok(sound) => failed |= !sound,
                Err(error) if self.ignore_errors => {
                    crate::cli::warn(&format!("Failed to verify collection {name}: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(u8::from(failed))
    }

    fn one(&self, name: &str, version: Option<&str>, settings: &Settings) -> Result<bool, Error> {
        let roots = match &self.collections_path {
            Some(directory) => vec![paths::absolute(directory)],
            None => settings.collections_path.clone(),
        };
        let inside = name.replacen('.', "/", 1);
        let directories = roots.iter().map(|root| match root.ends_with("ansible_collections") {
            true => root.join(&inside),
            false => root.join("ansible_collections").join(&inside),
        });
        let directory = directories.into_iter().find(|directory| directory.is_dir()).ok_or_else(|| {
            Error::new(format!("Collection {name} is not installed in any of the collection paths."))
        })?;
        if !directory.join("MANIFEST.json").exists() {
            return Err(Error::new(format!(
                "Collection {name} does not have a MANIFEST.json: it was not installed from a tarball."
            )));
        }
        let about = artifact::about(&directory)?;
        let full = format!("{name}:{}", about.version);
        if let Some(wanted) = version.filter(|wanted| *wanted != about.version && *wanted != "*") {
            say!("{name} has the version '{}' but is being compared to '{wanted}'", about.version);
            return Ok(false);
        }
        let faults = match self.offline {
            true => artifact::faults(&directory, &directory)?,
            false => self.remote(name, &about.version, &directory, settings)?,
        };
        if faults.is_empty() {
            let with = match self.offline {
                true => "are internally consistent with its manifest.",
                false => "match the remote collection.",
            };
            say!("Successfully verified that checksums for '{full}' {with}");
            return Ok(true);
        }
        say!("Collection {name} contains modified content in the following files:");
        faults.iter().for_each(|file| say!("    {file}"));
        Ok(false)
    }

    /// Returns what differs from the tarball of the first server that has it.
    fn remote(
        &self,
        name: &str,
        version: &str,
        directory: &Path,
        settings: &Settings,
    ) -> Result<Vec<String>, Error> {
        for server in server::chosen(settings, self.server.as_deref()) {
            if server::versions(&server, name)?.iter().all(|known| known.text != version) {
                continue;
            }
            let published = server::published(&server, name, version)?;
            let bytes = server::download(&server, &published.download_url)?;
            let temporary =
                tempfile::tempdir().map_err(|e| Error::io(&e, "cannot create a temporary directory"))?;
            let (_, original) = artifact::unpack(&bytes, temporary.path())?;
            return artifact::faults(directory, &original);
        }
        Err(Error::new(format!(
            "Failed to find remote collection {name}:{version} on any of the galaxy servers"
        ))
        .with_help("Use --offline to compare with the list of files that was installed with it."))
    }
}
