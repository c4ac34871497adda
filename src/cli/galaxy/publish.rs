//! `collection publish`: uploads a tarball to a Galaxy server, which imports it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use playbook_api::Error;

use super::{artifact, server};
use crate::report::output;
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Publish {
    /// The URL of the Galaxy server, or its name in server_list
    #[arg(short, long, value_name = "SERVER")]
    server: Option<String>,
    /// Do not wait until the server has imported the collection
    #[arg(long)]
    no_wait: bool,
    /// The time to wait for the import, in seconds; 0 means no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    import_timeout: u64,
    /// The tarball that `collection build` has created
    tarball: PathBuf,
}

impl Publish {
    pub(super) fn run(&self, settings: &Settings) -> Result<u8, Error> {
        let bytes = std::fs::read(&self.tarball).map_err(|e| {
            let message =
                format!("The collection path specified '{}' cannot be read", self.tarball.display());
            Error::io(&e, message)
        })?;
        let temporary =
            tempfile::tempdir().map_err(|e| Error::io(&e, "cannot create a temporary directory"))?;
        let (about, _) = artifact::unpack(&bytes, temporary.path())?;
        let server =
            server::chosen(settings, self.server.as_deref()).into_iter().next().ok_or_else(|| {
                Error::new("There is no Galaxy server to publish to").with_help("Name one with --server.")
            })?;
        let file = self.tarball.file_name().unwrap_or_default().to_string_lossy();
        say!("Publishing collection artifact '{}' to {} {}", self.tarball.display(), server.name, server.url);
        let task = server::publish(&server, &file, &bytes)?;
        let name = format!("{}:{}", about.name, about.version);
        if self.no_wait {
            say!(
                "Collection {name} has been pushed to the Galaxy server {} {}; its import continues there: {task}",
                server.name,
                server.url
            );
            return Ok(0);
        }
        say!("Collection {name} has been published to the Galaxy server {} {}", server.name, server.url);
        say!("Waiting until Galaxy import task {task} has completed");
        let deadline =
            (self.import_timeout > 0).then(|| Instant::now() + Duration::from_secs(self.import_timeout));
        let mut pause = Duration::from_millis(200);
        loop {
            let import = server::import(&server, &task)?;
            for message in &import.messages {
                output::error(&format!("{message}\n"));
            }
            match import.state.as_str() {
                "completed" => break,
                "failed" => {
                    let why = import.error.unwrap_or_else(|| "the server does not say why".into());
                    return Err(Error::new(format!("Galaxy import process failed: {why}")));
                }
                _ => {}
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(Error::new(format!(
                    "Timeout while waiting for the Galaxy import process to finish, check progress at '{task}'"
                )));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(30));
        }
        say!(
            "Collection has been successfully published and imported to the Galaxy server {} {}",
            server.name,
            server.url
        );
        Ok(0)
    }
}
