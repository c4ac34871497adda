//! `--version` of Ansible's programs, in ansible-core's form: other tools read it.

use std::path::{Path, PathBuf};

use playbook_api::Value;

use super::core::Core;
use super::session;
use crate::settings::Settings;

/// Returns what `--version` prints under the name of one of Ansible's programs.
pub(super) fn text(program: &str, executable: &Path) -> String {
    let settings = session::settings(false).map(|(settings, _)| settings).unwrap_or_default();
    describe(program, executable, &settings, Core::find(&settings).as_ref())
}

/// The release is that of the installed ansible-core, since tools compare the two; without one it is the release
/// whose behavior this program has.
fn describe(program: &str, executable: &Path, settings: &Settings, core: Option<&Core>) -> String {
    let missing = || "None (no Python with ansible-core was found)".to_owned();
    let python = core.map_or_else(missing, |core| format!("{} ({})", core.python, core.executable));
    let shown = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    let modules: Value = shown(&settings.library).into_iter().map(Value::from).collect();
    let lines = [
        format!("{program} [core {}]", core.map_or(settings.core.version().0, |core| &core.version)),
        format!("  config file = {}", config_file(settings)),
        format!("  configured module search path = {modules}"),
        format!(
            "  ansible python module location = {}",
            core.map_or_else(missing, |core| core.location.clone())
        ),
        format!("  ansible collection location = {}", shown(&settings.collections_path).join(":")),
        format!("  executable location = {}", executable.display()),
        format!("  python version = {python}"),
        format!("  jinja version = {}", core.map_or_else(missing, |core| core.jinja.clone())),
        format!("  pyyaml version = {}", core.map_or_else(missing, |core| core.yaml.clone())),
        format!("  playbook version = {}", env!("CARGO_PKG_VERSION")),
    ];
    lines.join("\n") + "\n"
}

fn config_file(settings: &Settings) -> String {
    settings.config_file.as_ref().map_or_else(|| "None".to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_all_lines_of_ansible_core() {
        let core = Core {
            version: "2.19.14".into(),
            location: "/venv/lib/ansible".into(),
            python: "3.11.7 (main) [GCC 12.2.0]".into(),
            executable: "/venv/bin/python3".into(),
            jinja: "3.1.6".into(),
            yaml: "6.0.4 (with libyaml v0.2.5)".into(),
            paths: Vec::new(),
        };
        let mut settings = Settings::default();
        settings.set("library", vec!["/a/modules".to_owned(), "/b".to_owned()]);
        settings.collections_path = vec!["/c".into(), "/d".into()];
        settings.config_file = Some("/etc/ansible/ansible.cfg".into());
        let text = describe("ansible", Path::new("/bin/ansible"), &settings, Some(&core));
        assert_eq!(
            text,
            format!(
                "\
ansible [core 2.19.14]
  config file = /etc/ansible/ansible.cfg
  configured module search path = ['/a/modules', '/b']
  ansible python module location = /venv/lib/ansible
  ansible collection location = /c:/d
  executable location = /bin/ansible
  python version = 3.11.7 (main) [GCC 12.2.0] (/venv/bin/python3)
  jinja version = 3.1.6
  pyyaml version = 6.0.4 (with libyaml v0.2.5)
  playbook version = {}
",
                env!("CARGO_PKG_VERSION")
            )
        );
    }
}
