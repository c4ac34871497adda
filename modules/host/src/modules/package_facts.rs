//! `package_facts`: the packages of a host, as facts.

mod origins;

use playbook_api::{Context, Deserialize, Doc, Failure, HostModule, JsonSchema, Map, Outcome, Value, map};

use self::origins::Origins;
use crate::host::Host;
use crate::host::process::{Program, which};

#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Strategy {
    /// The first manager that exists.
    #[default]
    First,
    /// All managers that exist.
    All,
}

/// Lists the packages that are installed on a host, as the fact `packages`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PackageFacts {
    /// The package managers to ask; `auto` is all that are supported.
    #[serde(default = "auto")]
    manager: Vec<String>,
    /// Whether to query all package managers or only the first one that exists.
    #[serde(default)]
    strategy: Strategy,
}

fn auto() -> Vec<String> {
    vec!["auto".into()]
}

impl HostModule for PackageFacts {
    const DOC: Doc = Doc {
        name: "package_facts",
        short: "Lists packages as facts",
        check_mode: "Full: it only reads.",
        returns: &[("ansible_facts", "dict", "`packages`: a list of versions for each name.")],
        examples: "- package_facts:\n- debug:\n    msg: \"{{ ansible_facts.packages['openssl'][0].version }}\"\n",
        ..Doc::BUILTIN
    };

    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let host = Host::new(context);
        let known: [(&str, &str, &[&str]); 4] = [
            (
                "apt",
                "dpkg-query",
                &["-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${Section}\t\n"],
            ),
            ("rpm", "rpm", &["-qa", "--qf", "ii \t%{NAME}\t%{VERSION}\t%{ARCH}\t%{RELEASE}\t%{EPOCH}\n"]),
            ("apk", "apk", &["info", "-v"]),
            ("pacman", "pacman", &["-Q"]),
        ];
        let alias = |name: &str| match name {
            "dnf" | "dnf5" | "yum" | "zypper" => "rpm".to_owned(),
            other => other.to_lowercase(),
        };
        let wanted: Vec<String> = self.manager.iter().map(|m| alias(m)).collect();
        let any = wanted.iter().any(|m| m == "auto");
        if let Some(bad) = wanted.iter().find(|m| *m != "auto" && !known.iter().any(|(n, _, _)| n == m)) {
            return Err(Failure::new(format!("Unsupported package managers requested: {bad}"))
                .with_help("Use apt, rpm, apk, pacman or auto."));
        }
        let mut packages = Map::default();
        let (mut found, mut warnings) = (false, Vec::new());
        for (name, program, arguments) in known {
            let asked = wanted.iter().any(|m| m == name);
            if !any && !asked {
                continue;
            }
            let output = match which(program, context) {
                Some(_) => host
                    .query(&Program::new([program]).args(arguments.iter().copied()))
                    .map_err(|f| f.error.to_string()),
                None => Err(format!("the program {program} was not found")),
            };
            let output = match output {
                Ok(output) => output,
                Err(reason) => {
                    if asked {
                        warnings.push(format!(
                            "Requested package manager {name} was not usable by this module: {reason}"
                        ));
                    }
                    continue;
                }
            };
            if !output.success() {
                let said = output.err();
                warnings.push(format!(
                    "Failed to retrieve packages with {name}: Unable to list packages rc={}: {}",
                    output.rc,
                    said.trim()
                ));
                continue;
            }
            if output.out().trim().is_empty() {
                continue;
            }
            found = true;
            let origins = if name == "apt" { origins::read(&host)? } else { Origins::default() };
            add(&mut packages, name, &output.out(), &origins);
            if self.strategy == Strategy::First {
                break;
            }
        }
        if !found {
            let message =
                "Could not detect a supported package manager from the following list: apt, rpm, apk, pacman";
            return Err(Failure::new(message).outcome(Outcome { warnings, ..Outcome::default() }));
        }
        Ok(Outcome { facts: map! { "packages" => packages }, warnings, ..Outcome::default() })
    }
}

fn add(packages: &mut Map, source: &str, text: &str, origins: &Origins) {
    for line in text.lines() {
        let package = match source {
            "apt" | "rpm" => {
                let fields: Vec<&str> = line.split('\t').collect();
                let [status, name, version, arch, fourth, fifth] = fields.as_slice() else { continue };
                if !status.starts_with("ii") && !status.starts_with("hi") {
                    continue;
                }
                let mut package =
                    map! { "name" => *name, "version" => *version, "arch" => *arch, "source" => source };
                if source == "apt" {
                    package.insert("category".into(), (*fourth).into());
                    package.insert("origin".into(), origins.of(name, version).into());
                } else {
                    package.insert("release".into(), (*fourth).into());
                    package.insert("epoch".into(), fifth.parse::<i64>().map_or(Value::Null, Value::from));
                }
                package
            }
            _ => {
                // `name version`, or `name-version-release`.
                let split = line.split_once(' ').or_else(|| {
                    let (rest, release) = line.rsplit_once('-')?;
                    let at = rest.rfind('-')?;
                    Some((&line[..at], &line[at + 1..rest.len() + 1 + release.len()]))
                });
                let Some((name, version)) = split else { continue };
                map! { "name" => name, "version" => version, "source" => source }
            }
        };
        let Some(name) = package.get("name").cloned() else { continue };
        let mut all = packages.get(&name).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
        all.push(package.into());
        packages.insert(name, all.into());
    }
}
