//! `pip`: Python packages.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Outcome, Value};

use crate::host::path::HostPath;
use crate::host::process::{Program, which};
use crate::host::words;
use crate::host::{Host, ended_badly};

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    Absent,
    Forcereinstall,
    Latest,
    #[default]
    Present,
}

/// Installs and removes Python packages, in the system or in a virtual environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["name", "requirements"]],
    "mutually_exclusive" = [["name", "requirements"], ["executable", "virtualenv"]],
))]
pub(crate) struct Pip {
    /// The packages, with or without versions (`django>=4`).
    name: Option<Vec<String>>,
    /// The version of the package, if only one is named.
    version: Option<String>,
    /// The path of a requirements file.
    requirements: Option<String>,
    /// The state that the packages are to have.
    #[serde(default)]
    state: State,
    /// The directory of a virtual environment, created if it does not exist.
    virtualenv: Option<HostPath>,
    /// The command that creates virtual environments: `virtualenv`, `python3 -m venv`.
    #[serde(default = "virtualenv")]
    virtualenv_command: String,
    /// The Python interpreter of a new virtual environment.
    virtualenv_python: Option<String>,
    /// Whether a new virtual environment can use the system's packages.
    #[serde(default)]
    virtualenv_site_packages: bool,
    /// Additional arguments for pip.
    extra_args: Option<String>,
    /// Whether to install packages in editable mode, from their source directory.
    #[serde(default)]
    editable: bool,
    /// The directory to run pip in.
    chdir: Option<HostPath>,
    /// The path or name of the pip to use.
    executable: Option<HostPath>,
    /// The umask for installed files, as a quoted octal number.
    umask: Option<String>,
    /// Whether to install into a Python that the system's package manager manages.
    #[serde(default)]
    break_system_packages: bool,
}

fn virtualenv() -> String {
    "virtualenv".into()
}

impl HostModule for Pip {
    const DOC: Doc = Doc {
        name: "pip",
        short: "Manages Python packages",
        returns: &[
            ("cmd", "str", "The command that was run."),
            ("name", "list", "The packages."),
            ("requirements", "str", "The file that listed them."),
            ("version", "str", "The version that was asked for."),
            ("virtualenv", "str", "The virtual environment."),
        ],
        examples: "- pip:\n    name: [django, gunicorn>=21]\n    virtualenv: /srv/app/venv\n    virtualenv_command: python3 -m venv\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let names: Vec<String> =
            self.name.iter().flatten().map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect();
        if self.version.is_some() && names.len() != 1 {
            return Err(Failure::new(
                "'version' argument is ambiguous when installing multiple package distributions. Please \
                specify version restrictions next to each package in 'name' argument.",
            ));
        }
        if let (Some(_), Some(name)) =
            (&self.version, names.first().filter(|n| n.contains(['=', '<', '>', '~', '!'])))
        {
            return Err(Failure::new(format!(
                "The 'version' argument conflicts with any version specifier provided along with a \
                package name. Please keep the version specifier, but remove the 'version' argument: {name}"
            )));
        }
        let environment = self.virtualenv.as_ref().map(|v| v.resolve(context));
        let made = self.make_environment(&host, environment.as_deref())?;
        let pip = self.pip(context, environment.as_deref(), made && context.check)?;
        let (verb, mut arguments) = match self.state {
            State::Absent => ("uninstall", vec!["-y".to_owned()]),
            State::Latest => ("install", vec!["-U".to_owned()]),
            State::Forcereinstall => ("install", vec!["-U".to_owned(), "--force-reinstall".to_owned()]),
            State::Present => ("install", Vec::new()),
        };
        let wanted: Vec<String> = match &self.version {
            Some(version) => names.iter().map(|n| format!("{n}=={version}")).collect(),
            None => names.clone(),
        };
        if self.break_system_packages {
            arguments.push("--break-system-packages".into());
        }
        arguments.extend(self.extra_args.as_deref().map(words::split).transpose()?.unwrap_or_default());
        for name in &wanted {
            let source = ["git+", "svn+", "hg+", "bzr+", "file://"].iter().any(|p| name.starts_with(p));
            if self.editable && (source || name.starts_with(['.', '/'])) {
                arguments.push("-e".into());
            }
            arguments.push(name.clone());
        }
        if let Some(requirements) = &self.requirements {
            arguments.extend(["-r".to_owned(), requirements.clone()]);
        }
        let directory = self.chdir.as_ref().map(|d| d.resolve(context));
        let words: Vec<String> = pip.iter().cloned().chain([verb.to_owned()]).chain(arguments).collect();
        let mut outcome = Outcome::changed(made)
            .with("cmd", words.join(" "))
            .with("name", names.clone())
            .with("version", self.version.clone())
            .with("requirements", self.requirements.clone())
            .with("virtualenv", environment.as_ref().map(|p| p.display().to_string()))
            .with(
                "state",
                match self.state {
                    State::Absent => "absent",
                    State::Forcereinstall => "forcereinstall",
                    State::Latest => "latest",
                    State::Present => "present",
                },
            );
        let before = self.installed(&host, &pip)?;
        // Further options of pip may affect packages that are already installed.
        let plain = self.requirements.is_none() && (self.extra_args.is_none() || context.check);
        if plain && self.is_done(&before, &wanted) {
            return Ok(outcome);
        }
        if context.check {
            outcome.changed |= self.would_change(&host, &pip, &wanted, directory.as_deref(), &words)?;
            return Ok(outcome);
        }
        let program = self.masked(Program::new(words).directory(directory));
        let output = host.run(&program)?;
        let nothing_there = self.state == State::Absent && output.err().contains("not installed");
        if !output.success() && !nothing_there {
            let failure = ended_badly(&program, &output);
            return Err(Failure {
                error: playbook_api::Error::new(format!("stdout: {}:stderr: {}", output.out(), output.err())),
                ..failure
            });
        }
        let after = self.installed(&host, &pip)?;
        outcome.changed |= before != after
            || self.state == State::Forcereinstall
            || output.out().contains("Successfully installed");
        let (out, err) = (output.out(), output.err());
        let lines = |t: &str| Value::from(t.lines().collect::<Vec<_>>());
        Ok(outcome
            .with("stdout_lines", lines(&out))
            .with("stderr_lines", lines(&err))
            .with("stdout", out)
            .with("stderr", err))
    }
}

impl Pip {
    fn masked(&self, program: Program) -> Program {
        let Some(umask) = self.umask.as_deref().filter(|u| u.chars().all(|c| c.is_digit(8))) else {
            return program;
        };
        let line = program.argv().iter().map(|w| words::quote(w)).collect::<Vec<_>>().join(" ");
        Program::new(["/bin/sh", "-c"])
            .arg(format!("umask {umask}; exec {line}"))
            .directory(program.directory_of())
    }

    /// Makes the virtual environment; says whether it had to.
    fn make_environment(&self, host: &Host, environment: Option<&Path>) -> Result<bool, Failure> {
        let Some(environment) = environment.filter(|e| !e.join("bin/activate").exists()) else {
            return Ok(false);
        };
        let mut words = words::split(&self.virtualenv_command)?;
        if words == ["virtualenv"] && which("virtualenv", host.context).is_none() {
            let python = self.virtualenv_python.clone().unwrap_or_else(|| "python3".into());
            words = vec![python, "-m".into(), "venv".into()];
        }
        if self.virtualenv_site_packages {
            words.push("--system-site-packages".into());
        }
        let venv = words.iter().any(|w| w == "venv" || w.ends_with("pyvenv"));
        if let Some(python) = self.virtualenv_python.as_ref().filter(|_| !venv) {
            words.push(format!("-p{python}"));
        }
        host.run_ok(&Program::new(words).arg(environment.display().to_string()))?;
        Ok(true)
    }

    /// The words that start pip.
    fn pip(
        &self,
        context: &Context,
        environment: Option<&Path>,
        not_made: bool,
    ) -> Result<Vec<String>, Failure> {
        if let Some(executable) = &self.executable {
            let text = executable.resolve(context).display().to_string();
            let found = which(&text, context).or_else(|| which(&executable.0, context));
            return found
                .map(|p| vec![p.display().to_string()])
                .ok_or_else(|| Failure::new(format!("Unable to find pip: {text}")));
        }
        if let Some(environment) = environment {
            let candidates = ["pip3", "pip"].map(|n| environment.join("bin").join(n));
            let found: Option<PathBuf> = candidates.into_iter().find(|p| p.exists());
            return match found {
                Some(pip) => Ok(vec![pip.display().to_string()]),
                None if not_made => Ok(Vec::new()),
                None => Err(Failure::new(format!(
                    "Unable to find pip in the virtualenv, {}, under any of these names: pip3, pip. Make \
                    sure pip is present in the virtualenv.",
                    environment.display()
                ))),
            };
        }
        for name in ["pip3", "pip"] {
            if let Some(path) = which(name, context) {
                return Ok(vec![path.display().to_string()]);
            }
        }
        match which("python3", context) {
            Some(python) => Ok(vec![python.display().to_string(), "-m".into(), "pip".into()]),
            None => Err(Failure::new("Unable to find any of pip3, pip to use. pip needs to be installed.")),
        }
    }

    fn installed(&self, host: &Host, pip: &[String]) -> Result<Vec<(String, String)>, Failure> {
        if pip.is_empty() {
            return Ok(Vec::new());
        }
        let output = host.query(&Program::new(pip.to_vec()).args([
            "list",
            "--format=freeze",
            "--disable-pip-version-check",
        ]))?;
        let text = output.out();
        let pair = |l: &str| l.split_once("==").map(|(n, v)| (normal(n), v.trim().to_owned()));
        Ok(text.lines().filter_map(pair).collect())
    }

    /// Asks pip whether it would install something. Where it cannot tell, or would have to run the code of a project to
    /// find out, the answer is yes.
    fn would_change(
        &self,
        host: &Host,
        pip: &[String],
        wanted: &[String],
        directory: Option<&Path>,
        words: &[String],
    ) -> Result<bool, Failure> {
        let is_plain = |requirement: &str| {
            requirement.starts_with(|c: char| c.is_ascii_alphanumeric()) && !requirement.contains(['/', '@'])
        };
        let listed = match &self.requirements {
            Some(file) => {
                let file = directory.map_or_else(|| file.into(), |directory| directory.join(file));
                // A file that cannot be read is pip's to report.
                std::fs::read_to_string(file).unwrap_or_else(|_| "-".into())
            }
            None => String::new(),
        };
        let mut lines = listed.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let is_quiet = words.iter().any(|w| w == "--quiet" || w.starts_with("-q"));
        let asks = matches!(self.state, State::Present | State::Latest) && !pip.is_empty() && !is_quiet;
        if !asks || !wanted.iter().all(|w| is_plain(w)) || !lines.all(is_plain) {
            return Ok(true);
        }
        let words = words.iter().map(String::as_str);
        let options = ["--dry-run", "--no-cache-dir", "--only-binary", ":all:"];
        let output =
            host.query(&Program::new(words.chain(options)).directory(directory.map(PathBuf::from)))?;
        // Before release 22.2, pip does not have the option.
        Ok(!output.success() || output.out().contains("Would install "))
    }

    /// Whether the list of packages shows that there is nothing to do; otherwise pip decides.
    fn is_done(&self, installed: &[(String, String)], wanted: &[String]) -> bool {
        let of = |name: &str| installed.iter().find(|(n, _)| *n == normal(name)).map(|(_, v)| v.as_str());
        let plain = |w: &str| w.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        match self.state {
            State::Absent => wanted
                .iter()
                .all(|w| of(w.split(['=', '<', '>', '~', '!', '[']).next().unwrap_or(w)).is_none()),
            State::Present => wanted.iter().all(|w| match w.split_once("==") {
                Some((name, version)) => plain(name) && of(name) == Some(version),
                None => plain(w) && !w.contains('/') && of(w).is_some(),
            }),
            State::Latest | State::Forcereinstall => false,
        }
    }
}

/// In names of packages, case is ignored, and `-`, `_` and `.` are equivalent.
fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', '.'], "-")
}
