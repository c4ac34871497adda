//! Collections: their subcommands, `install` and `build`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::artifact::{self, About};
use super::constraint::{Constraint, Version};
use super::requirements::CollectionSource;
use super::{fetch, init, list, publish, requirements, server, verify};
use crate::cli::Fault;
use crate::paths;
use crate::settings::{GalaxyServer, Settings};
use crate::vault::Keyring;

/// Installs, lists, creates, builds, publishes and verifies collections.
#[derive(Subcommand)]
pub(super) enum CollectionAction {
    /// Installs collections from Galaxy servers, git, tarballs, URLs or directories.
    Install(Install),
    /// Lists the collections that are installed.
    List(list::Collections),
    /// Creates the directories and files of a new collection.
    Init(init::Init),
    /// Builds the tarball of a collection.
    Build(Build),
    /// Publishes a tarball on a Galaxy server.
    Publish(publish::Publish),
    /// Compares installed collections with the published ones.
    Verify(verify::Verify),
}

#[derive(Args)]
pub(super) struct Install {
    /// A file that lists the collections
    #[arg(short, long, value_name = "FILE")]
    pub requirements_file: Option<PathBuf>,
    /// The directory to install to (default: the first one of collections_path)
    #[arg(short = 'p', long, value_name = "DIRECTORY")]
    pub collections_path: Option<PathBuf>,
    /// Replace collections that are already installed
    #[arg(short, long, visible_alias = "force-with-deps")]
    pub force: bool,
    /// Do not install dependencies
    #[arg(short, long)]
    pub no_deps: bool,
    /// Accept pre-releases
    #[arg(long)]
    pub pre: bool,
    /// Upgrade to the newest versions that fit
    #[arg(short = 'U', long)]
    pub upgrade: bool,
    /// The URL of the Galaxy server, or its name in server_list
    #[arg(short, long, value_name = "SERVER")]
    pub server: Option<String>,
    /// Install the versions of this lock file, and write the chosen ones to it
    #[arg(long, value_name = "FILE")]
    pub lock_file: Option<PathBuf>,
    /// The collections: NAMESPACE.NAME[:VERSION], a tarball, a directory, git+URL[,VERSION] or a URL
    pub collections: Vec<String>,
}

#[derive(Args)]
pub(super) struct Build {
    /// The directory for the tarball
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    output_path: PathBuf,
    /// Replace an existing tarball
    #[arg(short, long)]
    force: bool,
    /// The directory of the collection
    #[arg(default_value = ".")]
    directory: PathBuf,
}

impl CollectionAction {
    /// Runs the subcommand.
    pub(super) fn run(self, settings: &Settings) -> Result<u8, Fault> {
        Ok(match self {
            CollectionAction::Install(options) => {
                let wanted = options.wanted()?;
                install(settings, &options, wanted)
            }
            CollectionAction::List(options) => return options.run(settings),
            CollectionAction::Build(options) => build(&options),
            CollectionAction::Init(options) => options.collection(),
            CollectionAction::Publish(options) => options.run(settings),
            CollectionAction::Verify(options) => options.run(settings),
        }?)
    }
}

impl Install {
    fn wanted(&self) -> Result<Vec<Wanted>, Error> {
        let mut wanted: Vec<Wanted> = Vec::new();
        if let Some(file) = &self.requirements_file {
            wanted.extend(requirements::read(file, &Keyring::default())?.1);
        }
        for text in &self.collections {
            wanted.push(Wanted::from_text(text, Path::new("."))?);
        }
        Ok(wanted)
    }
}

/// A requested collection.
pub(super) type Wanted = requirements::Collection;

/// A chosen collection: its version and source.
struct Chosen {
    version: String,
    source: Source,
}

enum Source {
    /// It is already installed.
    Installed,
    /// It is unpacked in a directory.
    Directory(PathBuf),
    Server {
        server: GalaxyServer,
        url: String,
        sha256: Option<String>,
    },
}

/// The content of a lock file.
#[derive(Default, Serialize, Deserialize)]
struct Lock {
    collections: Vec<Locked>,
}

#[derive(Serialize, Deserialize)]
struct Locked {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sha256: Option<String>,
}

pub(super) fn install(settings: &Settings, options: &Install, wanted: Vec<Wanted>) -> Result<u8, Error> {
    if wanted.is_empty() {
        return Err(Error::new("You must specify a collection name or a requirements file.").with_help(
            "Run 'playbook galaxy collection install -r requirements.yml' to install the collections of a project.",
        ));
    }
    let root = match &options.collections_path {
        Some(directory) => paths::absolute(directory),
        None => settings
            .collections_path
            .first()
            .cloned()
            .ok_or_else(|| Error::new("collections_path is empty"))?,
    };
    let root = if root.ends_with("ansible_collections") { root } else { root.join("ansible_collections") };
    std::fs::create_dir_all(&root)
        .map_err(|e| Error::io(&e, format!("cannot create the directory {}", root.display())))?;
    let servers = server::chosen(settings, options.server.as_deref());
    let lock: Lock = match options.lock_file.as_ref().map(std::fs::read_to_string) {
        Some(Ok(text)) => serde_yaml::from_str(&text)
            .map_err(|e| Error::new(format!("the lock file cannot be parsed: {e}")))?,
        _ => Lock::default(),
    };
    say!("Starting galaxy collection install process");
    say!("Process install dependency map");
    // On the file system of the destination, so that the collection is moved atomically.
    let temporary = tempfile::tempdir_in(&root)
        .map_err(|e| Error::io(&e, format!("cannot create a temporary directory in {}", root.display())))?;
    let mut resolver = Resolver {
        root: &root,
        options,
        servers,
        lock,
        temporary: temporary.path(),
        constraints: IndexMap::new(),
        chosen: IndexMap::new(),
    };
    resolver.resolve(wanted)?;
    say!("Starting collection install process");
    let mut locked = Lock::default();
    for (name, chosen) in &resolver.chosen {
        let sha256 = put(&root, temporary.path(), name, chosen)?;
        locked.collections.push(Locked { name: name.clone(), version: chosen.version.clone(), sha256 });
    }
    if let Some(path) = &options.lock_file {
        locked.collections.sort_by(|a, b| a.name.cmp(&b.name));
        // A checksum that is already known is kept.
        for entry in &mut locked.collections {
            let before =
                resolver.lock.collections.iter().find(|l| l.name == entry.name && l.version == entry.version);
            entry.sha256 = entry.sha256.take().or_else(|| before.and_then(|l| l.sha256.clone()));
        }
        let text = serde_yaml::to_string(&locked).map_err(|e| Error::new(e.to_string()))?;
        std::fs::write(path, text).map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
    }
    Ok(0)
}

struct Resolver<'a> {
    root: &'a Path,
    options: &'a Install,
    servers: Vec<GalaxyServer>,
    lock: Lock,
    temporary: &'a Path,
    /// The requirements of each collection, and their sources.
    constraints: IndexMap<String, Vec<(Constraint, String)>>,
    chosen: IndexMap<String, Chosen>,
}

impl Resolver<'_> {
    /// Chooses a version of each requested collection and of its dependencies.
    fn resolve(&mut self, wanted: Vec<Wanted>) -> Result<(), Error> {
        let mut waiting: VecDeque<(String, GalaxyServers)> = VecDeque::new();
        for (at, wanted) in wanted.into_iter().enumerate() {
            match wanted.source {
                CollectionSource::Galaxy { name, version, server } => {
                    self.ask(&name, &version, "the requirements")?;
                    let own = server.map(|url| vec![self.named(&url)]);
                    waiting.push_back((name, own));
                }
                source => {
                    let directory = self.temporary.join(format!("given{at}"));
                    std::fs::create_dir_all(&directory)
                        .map_err(|e| Error::io(&e, format!("cannot create {}", directory.display())))?;
                    let (about, directory) = fetch::collection(&source, &wanted.directory, &directory)?;
                    self.take(&about.name.clone(), about, Source::Directory(directory), &mut waiting)?;
                }
            }
        }
        // Each round may restrict an earlier choice. Versions only decrease, so it ends.
        for _ in 0..10_000 {
            let Some((name, servers)) = waiting.pop_front() else { return Ok(()) };
            if let Some(chosen) = self.chosen.get(&name)
                && self.allowed(&name, &chosen.version)
            {
                continue;
            }
            if matches!(self.chosen.get(&name), Some(Chosen { source: Source::Directory(_), .. })) {
                return Err(self.conflict(&name));
            }
            self.choose(&name, servers, &mut waiting)?;
        }
        Err(Error::new("the collections' dependencies cannot be resolved"))
    }

    fn named(&self, server: &str) -> GalaxyServer {
        let known = self.servers.iter().find(|known| known.name == server || known.url == server);
        known.cloned().unwrap_or_else(|| GalaxyServer {
            name: "explicit_requirement".into(),
            url: server.to_owned(),
            token: None,
        })
    }

    fn ask(&mut self, name: &str, version: &str, by: &str) -> Result<(), Error> {
        let constraint =
            Constraint::parse(version).map_err(|e| e.context(format!("{by} asks for {name}")))?;
        self.constraints.entry(name.to_owned()).or_default().push((constraint, by.to_owned()));
        Ok(())
    }

    fn allowed(&self, name: &str, version: &str) -> bool {
        let Some(version) = Version::parse(version) else { return true };
        let asked = self.constraints.get(name).into_iter().flatten();
        asked.into_iter().all(|(constraint, _)| constraint.allows(&version, self.options.pre))
    }

    fn conflict(&self, name: &str) -> Error {
        let asked = self.constraints.get(name).into_iter().flatten();
        let asked: Vec<String> = asked
            .map(|(constraint, by)| {
                format!("{} (by {by})", if constraint.text.is_empty() { "*" } else { &constraint.text })
            })
            .collect();
        Error::new(format!("No version of {name} fulfills all requirements: {}", asked.join(", ")))
    }

    fn choose(
        &mut self,
        name: &str,
        servers: GalaxyServers,
        waiting: &mut VecDeque<(String, GalaxyServers)>,
    ) -> Result<(), Error> {
        let there = artifact::about(&self.root.join(name.replacen('.', "/", 1))).ok();
        let locked =
            self.lock.collections.iter().find(|locked| locked.name == name).map(|l| l.version.clone());
        if let Some(about) = there
            && !self.options.force
            && !self.options.upgrade
            && self.allowed(name, &about.version)
            && locked.as_ref().is_none_or(|version| *version == about.version)
        {
            return self.take(name, about, Source::Installed, waiting);
        }
        for server in servers.unwrap_or_else(|| self.servers.clone()) {
            let versions = server::versions(&server, name)?;
            let fits = |version: &&Version| {
                self.allowed(name, &version.text) && locked.as_ref().is_none_or(|l| *l == version.text)
            };
            let Some(version) = versions.iter().find(fits) else {
                if versions.is_empty() {
                    continue;
                }
                let known: Vec<&str> = versions.iter().map(|version| version.text.as_str()).collect();
                return Err(self.conflict(name).with_help(format!(
                    "{} has {}{}",
                    server.url,
                    known.join(", "),
                    locked.map(|l| format!("; the lock file requires {l}")).unwrap_or_default()
                )));
            };
            let found = server::published(&server, name, &version.text)?;
            let about = About {
                name: name.to_owned(),
                version: version.text.clone(),
                dependencies: found.dependencies.clone(),
            };
            let known = self.lock.collections.iter().find(|l| l.name == name && l.version == version.text);
            let sha256 = known.and_then(|l| l.sha256.clone()).or(found.sha256);
            let source = Source::Server { server, url: found.download_url, sha256 };
            return self.take(name, about, source, waiting);
        }
        let servers: Vec<&str> = self.servers.iter().map(|server| server.url.as_str()).collect();
        Err(Error::new(format!(
            "The collection {name} is not on any of the Galaxy servers: {}",
            servers.join(", ")
        ))
        .with_kind(ErrorKind::NotFound)
        .with_help(
            "Name its git repository, tarball or directory as the source, or another server in server_list.",
        ))
    }

    fn take(
        &mut self,
        name: &str,
        about: About,
        source: Source,
        waiting: &mut VecDeque<(String, GalaxyServers)>,
    ) -> Result<(), Error> {
        let by = format!("{}:{}", about.name, about.version);
        if !self.options.no_deps {
            for (needed, version) in &about.dependencies {
                let needed = artifact::checked(needed)?;
                self.ask(&needed, version, &by)?;
                waiting.push_back((needed, None));
            }
        }
        self.chosen.insert(name.to_owned(), Chosen { version: about.version, source });
        Ok(())
    }
}

/// The servers that a requirement names, or nothing for all.
type GalaxyServers = Option<Vec<GalaxyServer>>;

/// Installs a chosen collection, and returns the checksum of its tarball if there is one.
fn put(root: &Path, temporary: &Path, name: &str, chosen: &Chosen) -> Result<Option<String>, Error> {
    let version = &chosen.version;
    let (directory, sha256) = match &chosen.source {
        Source::Installed => {
            say!("'{name}:{version}' is already installed, skipping.");
            return Ok(None);
        }
        Source::Directory(directory) => (directory.clone(), None),
        Source::Server { server, url, sha256 } => {
            say!("Downloading {url} to {}", temporary.display());
            let bytes = server::download(server, url)?;
            let found = artifact::sha256(&bytes);
            if let Some(wanted) = sha256.as_ref().filter(|wanted| **wanted != found) {
                return Err(Error::new(format!(
                    "Mismatched artifact hash for {name}:{version}: {wanted} expected, {found} found"
                )));
            }
            let place = temporary.join(format!("download-{name}"));
            std::fs::create_dir_all(&place)
                .map_err(|e| Error::io(&e, format!("cannot create {}", place.display())))?;
            let (about, directory) = artifact::unpack(&bytes, &place)?;
            if about.name != name {
                return Err(Error::new(format!("{url} holds {}, not {name}", about.name)));
            }
            (directory, Some(found))
        }
    };
    let target = root.join(name.replacen('.', "/", 1));
    say!("Installing '{name}:{version}' to '{}'", target.display());
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|e| Error::io(&e, format!("cannot create {}", parent.display())))?;
    }
    if target.exists() {
        std::fs::rename(&target, temporary.join(format!("old-{name}")))
            .map_err(|e| Error::io(&e, format!("cannot move {}", target.display())))?;
    }
    std::fs::rename(&directory, &target)
        .map_err(|e| Error::io(&e, format!("cannot create {}", target.display())))?;
    say!("{name}:{version} was installed successfully");
    Ok(sha256)
}

fn build(options: &Build) -> Result<u8, Error> {
    let (about, bytes) = artifact::build(&options.directory)?;
    let directory = paths::absolute(&options.output_path);
    let path = directory.join(format!("{}-{}.tar.gz", about.name.replace('.', "-"), about.version));
    if path.exists() && !options.force {
        let message = format!(
            "The file '{}' already exists. You can use --force to re-create the collection artifact.",
            path.display()
        );
        return Err(Error::new(message));
    }
    std::fs::create_dir_all(&directory)
        .map_err(|e| Error::io(&e, format!("cannot create {}", directory.display())))?;
    std::fs::write(&path, bytes).map_err(|e| Error::io(&e, format!("cannot write {}", path.display())))?;
    say!("Created collection for {} at {}", about.name, path.display());
    Ok(0)
}
