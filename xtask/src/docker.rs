//! A separate Docker engine, which shares nothing with an engine that may already run and creates no networks.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::children::{self, Server};
use crate::{Doing, Result};

/// A running engine; dropping it removes its containers and its data.
pub struct Docker {
    _server: Server,
    directory: TempDir,
}

impl Docker {
    /// Returns the reason why an engine cannot be started on this machine.
    pub fn impossible() -> Option<&'static str> {
        match (cfg!(target_os = "linux"), crate::is_root()) {
            (false, _) => Some("the engine needs Linux"),
            (true, true) => None,
            (true, false) => Some("only root can start a Docker engine"),
        }
    }

    /// Starts an engine and waits up to 60 seconds until it responds.
    pub fn start() -> Result<Docker> {
        let directory =
            tempfile::Builder::new().prefix("playbook-docker-").tempdir().doing("creating a directory")?;
        let path = |name: &str| directory.path().join(name);
        let log = path("log");
        // A mount namespace removes the engine's mounts when it ends.
        let mut dockerd = Command::new("unshare");
        dockerd.args(["--mount", "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none"]);
        dockerd.arg("--storage-driver=vfs").arg("--host").arg(host(directory.path()));
        for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            dockerd.arg(option).arg(path(name));
        }
        let output = File::create(&log).doing("creating the engine's log")?;
        dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).process_group(0);
        let docker = Docker { _server: Server::start("dockerd", &mut dockerd, libc::SIGTERM)?, directory };
        docker.wait_until_ready(&log)?;
        Ok(docker)
    }

    fn wait_until_ready(&self, log: &Path) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(180);
        while self.run(&["version"]).is_err() {
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(log).unwrap_or_default();
                let tail = log.lines().skip(log.lines().count().saturating_sub(5));
                return Err(format!(
                    "dockerd does not respond after three minutes:\n{}",
                    tail.collect::<Vec<_>>().join("\n")
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Returns the value for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        host(self.directory.path())
    }

    /// Runs `docker` with these arguments and returns its standard output.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut docker = Command::new("docker");
        let what = format!("docker {}", arguments.join(" "));
        children::run(&what, docker.args(arguments).env("DOCKER_HOST", self.host()))
            .map(|text| text.trim_end().to_owned())
    }

    /// Imports an image that has only directories and two users. [`PROGRAMS`] adds this machine's programs.
    pub fn image(&self, name: &str) -> Result<()> {
        let script = r#"
            cd "$DIRECTORY"
            mkdir usr etc tmp proc dev sys root app var run
            chmod 1777 tmp
            for link in /bin /sbin /lib /lib32 /lib64; do if [ -L $link ]; then cp -P $link .; fi; done
            printf 'root:x:0:0:root:/root:/bin/sh\nrobot:x:1000:1000:robot:/tmp:/bin/sh\n' > etc/passwd
            printf 'root:x:0:\nrobot:x:1000:\n' > etc/group
            tar --numeric-owner -c . | docker import - "$IMAGE"
        "#;
        let root = tempfile::tempdir().doing("creating a directory")?;
        let mut sh = Command::new("sh");
        sh.args(["-ec", script])
            .env("DOCKER_HOST", self.host())
            .env("DIRECTORY", root.path())
            .env("IMAGE", name);
        children::run("importing an image", &mut sh).map(drop)
    }
}

/// Options of `docker run` that make this machine's programs available in the container.
pub const PROGRAMS: [&str; 4] = ["--network", "host", "-v", "/usr:/usr:ro"];

fn host(directory: &Path) -> String {
    format!("unix://{}", directory.join("socket").display())
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Ok(containers) = self.run(&["ps", "-aq"])
            && !containers.is_empty()
        {
            let containers: Vec<&str> = containers.split_whitespace().collect();
            let _ = self.run(&[&["rm", "-f"], &containers[..]].concat());
        }
    }
}
