//! Launchpad's archives (PPAs), which are identified by owner and name.

use playbook_api::Failure;

use crate::host::http::{Ask, Connect, Redirects};
use crate::host::process::{Program, which};
use crate::host::{Host, Replace};

/// `ppa:OWNER/NAME`.
pub(crate) struct Ppa {
    owner: String,
    name: String,
    pub(crate) codename: String,
}

impl Ppa {
    pub(crate) fn of(named: &str, codename: Option<&str>) -> Ppa {
        let (owner, name) = named.split_once('/').unwrap_or((named, "ppa"));
        let name = name.split('/').next().unwrap_or(name);
        let codename = codename.map_or_else(own_codename, str::to_owned);
        Ppa { owner: owner.to_owned(), name: name.to_owned(), codename }
    }

    pub(crate) fn line(&self) -> String {
        let Ppa { owner, name, codename } = self;
        format!("deb https://ppa.launchpadcontent.net/{owner}/{name}/ubuntu {codename} main")
    }

    /// Makes apt trust the archive's key.
    pub(crate) fn trust(&self, host: &Host, validate_certs: bool) -> Result<(), Failure> {
        if host.check() {
            return Ok(());
        }
        let key = self.fingerprint(host, validate_certs)?;
        let server = "hkp://keyserver.ubuntu.com:80";
        if which("apt-key", host.context).is_some() {
            let known = host.query(&Program::new(["apt-key", "export", &key]).env("LC_ALL", "C"))?;
            if known.err().contains("nothing exported") {
                let fetch = ["apt-key", "adv", "--recv-keys", "--no-tty", "--keyserver", server, &key];
                host.run_ok(&Program::new(fetch))?;
            }
            return Ok(());
        }
        let directories = ["/etc/apt/keyrings", "/etc/apt/trusted.gpg.d", "/usr/share/keyrings"];
        let Some(directory) = directories.iter().find(|directory| std::path::Path::new(directory).is_dir())
        else {
            let tried = directories.join(", ");
            return Err(Failure::new(format!("apt has no directory for keys: none of {tried} exists")));
        };
        let file = format!("{directory}/{}-{}-{}.gpg", self.codename, self.owner, self.name);
        let export = ["gpg", "--no-tty", "--keyserver", server, "--export", &key];
        let output = host.run_ok(&Program::new(export))?;
        if output.stdout.is_empty() {
            return Err(Failure::new("Unable to get required signing key").with("stderr", output.err()));
        }
        let how = Replace { mode: Some(0o644), ..Replace::default() };
        host.write(std::path::Path::new(&file), &output.stdout, &how)
    }

    fn fingerprint(&self, host: &Host, validate_certs: bool) -> Result<String, Failure> {
        let address = format!("https://api.launchpad.net/1.0/~{}/+archive/{}", self.owner, self.name);
        let failed = |why: String| Failure::new(format!("failed to fetch PPA information, error was: {why}"));
        let headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let ask = Ask { method: "GET".into(), redirects: Redirects::All, headers, ..Ask::default() };
        let mut answer = Connect::plain(&address, validate_certs)
            .ask(ask, host.context)
            .map_err(|e| failed(e.error.to_string()))?;
        if !answer.is_success() {
            return Err(failed(answer.summary()));
        }
        let said: serde_json::Value =
            serde_json::from_reader(&mut answer.reader).map_err(|e| failed(e.to_string()))?;
        let key = said.get("signing_key_fingerprint").and_then(serde_json::Value::as_str);
        key.map(str::to_owned).ok_or_else(|| failed("it names no key".into()))
    }
}

/// The host's own release.
fn own_codename() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let named = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    named.unwrap_or_default().trim_matches('"').to_owned()
}
