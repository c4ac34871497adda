//! Whole inventories from states, with what is printed of them.

use std::path::Path;
use std::sync::Arc;

use playbook_api::Context;

use super::*;
use crate::inventory::{Format, Inventory, Printer, Vars, import_terraform};
use crate::settings::Settings;
use crate::vault::Keyring;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

struct Loaded {
    inventory: Inventory,
    warnings: Vec<String>,
    context: Context,
}

fn load(directory: &Path, source: &str) -> Result<Loaded, Error> {
    let context = Context::default();
    let source = match source.strip_prefix("terraform:") {
        Some(path) => format!("terraform:{}", directory.join(path).display()),
        None => directory.join(source).to_string_lossy().into_owned(),
    };
    let settings = Settings::default();
    let keyring = Arc::new(Keyring::default());
    let (inventory, warnings) = Inventory::load(&[source], &settings, &keyring, &context, &Vars::default())?;
    let warnings = warnings.iter().map(|warning| warning.message().to_owned()).collect();
    Ok(Loaded { inventory, warnings, context })
}

impl Loaded {
    /// The hosts and their addresses.
    fn addresses(&self) -> String {
        let address = |name: &Arc<str>| {
            let host = &self.inventory.hosts[name];
            let address = host.vars.get("ansible_host").map(|node| node.raw().to_text().into_owned());
            format!("{name}={}", address.unwrap_or_default())
        };
        self.inventory.hosts.keys().map(address).collect::<Vec<_>>().join(" ")
    }

    fn printed(&self, format: Format) -> String {
        let (extra, inventory) = (Vars::default(), &self.inventory);
        Printer { inventory, extra: &extra, format, export: false, limit: None }.list().unwrap()
    }
}

/// A state with instances of the resource `aws_instance.web`.
fn state(instances: &str) -> String {
    format!(
        r#"{{"version": 4, "outputs": {{}}, "resources": [
            {{"mode": "data", "type": "aws_instance", "name": "web", "instances": [{{"attributes": {{"id": "i-data"}}}}]}},
            {{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{instances}]}}]}}"#
    )
}

const CONFIG: &str = "plugin: terraform_outputs\npath: x.tfstate\n\
    instances: [{type: aws_instance, groups: [web], vars: {pw: password_data, tags: tags}}]\n";

#[test]
fn deposed_objects_are_never_hosts() {
    let new = r#"{"attributes": {"id": "i-new", "private_ip": "10.0.0.12", "tags": {"Name": "web-1"}}}"#;
    let old = r#"{"deposed": "a1", "attributes": {"id": "i-old", "private_ip": "10.0.0.11", "tags": {"Name": "web-1"}}}"#;
    let other = r#"{"deposed": "a2", "status": "tainted",
        "attributes": {"id": "i-other", "private_ip": "10.0.0.13", "tags": {"Name": "web-2"}}}"#;
    for (instances, hosts) in [
        (format!("{new}, {old}"), "web-1=10.0.0.12"),
        (format!("{old}, {new}, {other}"), "web-1=10.0.0.12"),
        (old.to_owned(), ""),
        (other.to_owned(), ""),
    ] {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &[("x.tfstate", &state(&instances)), ("tf.yml", CONFIG)]);
        let loaded = load(directory.path(), "tf.yml").unwrap();
        assert_eq!((loaded.addresses().as_str(), loaded.warnings), (hosts, Vec::new()), "{instances}");
    }
}

#[test]
fn instances_of_one_name_are_all_hosts() {
    let twin = |key: &str, address: &str, status: &str| {
        format!(
            r#"{{"index_key": {key}{status}, "attributes": {{"id": "i-{address}", "private_ip": "{address}", "tags": {{"Name": "app"}}}}}}"#
        )
    };
    let instances =
        [twin("0", "10.0.0.1", ""), twin("\"b c\"", "10.0.0.2", r#", "status": "tainted""#)].join(", ");
    let directory = tempfile::tempdir().unwrap();
    // Two entries about the same instances are about the same hosts.
    let config =
        format!("{CONFIG}  - {{type: aws_instance, groups: [more]}}\n").replace("[{type", "\n  - {type");
    let config = config.replace("tags: tags}}]", "tags: tags}}");
    write(directory.path(), &[("x.tfstate", &state(&instances)), ("tf.yml", &config)]);
    let loaded = load(directory.path(), "tf.yml").unwrap();
    assert_eq!(loaded.addresses(), "app=10.0.0.1 app-b_c=10.0.0.2");
    let tainted = "aws_instance.web[\"b c\"] is tainted: the next `terraform apply` will replace it";
    let twins =
        "aws_instance.web[\"b c\"] has the name 'app' of aws_instance.web[0], and becomes the host 'app-b_c'";
    assert_eq!(loaded.warnings, [tainted, twins]);
    let members = |group: &str| loaded.inventory.hosts_of(group).join(" ");
    assert_eq!((members("web").as_str(), members("more").as_str()), ("app app-b_c", "app app-b_c"));
}

#[test]
fn sensitive_attributes_are_secrets() {
    let instance = r#"{"attributes": {"id": "i-1", "private_ip": "10.0.0.1", "password_data": 987654,
        "tags": {"Name": "db", "token": "hunter22", "zone": "a"}}, "sensitive_attributes": [
        [{"type": "get_attr", "value": "password_data"}],
        [{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "token", "type": "string"}}]]}"#;
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("x.tfstate", &state(instance)), ("tf.yml", CONFIG)]);
    let loaded = load(directory.path(), "tf.yml").unwrap();
    let host = &loaded.inventory.hosts["db"];
    assert_eq!(host.vars["pw"].raw(), 987_654.into());
    assert!(host.vars["tags"].raw().get("token").unwrap().is_secret());
    assert!(!host.vars["tags"].raw().get("zone").unwrap().is_secret());
    assert_eq!(loaded.context.redactor.text("hunter22 987654 a"), "******** ******** a");
    for format in [Format::Json, Format::Yaml, Format::Toml] {
        let printed = loaded.printed(format);
        assert!(!printed.contains("hunter22") && !printed.contains("987654"), "{printed}");
    }
}

const OUTPUTS: &str = r#"{"version": 4, "outputs": {"plain": {"value": "seen"},
    "text": {"value": "hunter22", "sensitive": true}, "number": {"value": 42, "sensitive": true},
    "list": {"value": ["hunter23", 7], "sensitive": true}, "map": {"value": {"k": "hunter24"}, "sensitive": true},
    "flag": {"value": true, "sensitive": true}}}"#;

#[test]
fn sensitive_outputs_are_not_printed() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &[
            ("x.tfstate", OUTPUTS),
            ("tf.yml", "plugin: terraform_outputs\npath: x.tfstate\nhosts: {h: [plain]}\n"),
        ],
    );
    let loaded = load(directory.path(), "tf.yml").unwrap();
    assert_eq!(
        loaded
            .printed(Format::Json)
            .split("\"hostvars\": ")
            .nth(1)
            .unwrap()
            .split("\"profile\"")
            .next()
            .unwrap(),
        "{\n            \"h\": {\n                \"flag\": \"********\",\n                \"list\": \"********\",\n                \
         \"map\": \"********\",\n                \"number\": \"********\",\n                \"plain\": {\n                    \
         \"__ansible_unsafe\": \"seen\"\n                },\n                \"text\": \"********\"\n            }\n        },\n        "
    );
}

#[test]
fn an_import_encrypts_every_sensitive_output_or_leaves_it_out() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("x.tfstate", OUTPUTS), ("password", "pw")]);
    let location = directory.path().join("x.tfstate").to_string_lossy().into_owned();
    let none = Arc::new(Keyring::default());
    let text = import_terraform(&location, None, &none, &Context::default()).unwrap();
    let left =
        |name: &str| format!("# {name} is sensitive and left out: give a vault password to encrypt it.\n");
    let names = ["text", "number", "list", "map", "flag"];
    let comments: String = names.into_iter().map(left).collect();
    let head = format!("# The outputs of {location}, written by `playbook inventory import-terraform`.\n");
    assert_eq!(text, format!("{head}{comments}all:\n  vars:\n    plain: seen\n"));
    let keyring = Arc::new(Keyring::with_password("default", "pw"));
    let text = import_terraform(&location, None, &keyring, &Context::default()).unwrap();
    assert!(text.contains("    number: '{{ vault_number | from_json }}'\n"), "{text}");
    assert!(text.contains("    text: !vault |\n"), "{text}");
    assert_eq!(text.matches("$ANSIBLE_VAULT").count(), 5);
    assert!(!text.contains("hunter") && !text.contains("42\n"), "{text}");
}

#[test]
fn workspaces_have_their_own_states() {
    let outputs = |w: &str| format!(r#"{{"version": 4, "outputs": {{"w": {{"value": "{w}"}}}}}}"#);
    let directory = tempfile::tempdir().unwrap();
    let config = |more: &str| format!("plugin: terraform_outputs\nbinary: {more}\n");
    write(
        directory.path(),
        &[
            ("terraform.tfstate", &outputs("default")),
            ("terraform.tfstate.d/staging/terraform.tfstate", &outputs("staging")),
            (".terraform/environment", "staging"),
            ("file.yml", "plugin: terraform_outputs\npath: terraform.tfstate\n"),
            ("other.yml", "plugin: terraform_outputs\npath: terraform.tfstate\nworkspace: staging\n"),
            (
                "own.yml",
                "plugin: terraform_outputs\npath: terraform.tfstate.d/staging/terraform.tfstate\nworkspace: staging\n",
            ),
            ("default.yml", "plugin: terraform_outputs\npath: terraform.tfstate\nworkspace: default\n"),
            ("unknown.yml", "plugin: terraform_outputs\npath: terraform.tfstate\nworkspace: stagign\n"),
            ("absent.yml", &config("no-such-terraform\npath: .")),
        ],
    );
    let value = |source: &str| {
        let loaded = load(directory.path(), source)?;
        Ok::<_, Error>(loaded.inventory.groups["all"].vars["w"].raw().to_text().into_owned())
    };
    for (source, workspace) in [
        ("file.yml", "default"),
        ("other.yml", "staging"),
        ("own.yml", "staging"),
        ("default.yml", "default"),
    ] {
        assert_eq!(value(source).unwrap(), workspace, "{source}");
    }
    assert_eq!(workspaces::selected(directory.path()), "staging");
    // Without a program, the directory's own file of the selected workspace counts.
    let (keyring, context, extra) = (Arc::new(Keyring::default()), Context::default(), Vars::default());
    let loading = Loading { keyring: &keyring, context: &context, extra: &extra };
    let source = |workspace: Option<&str>| Source {
        location: String::new(),
        workspace: workspace.map(str::to_owned),
        workspace_key_prefix: None,
        binary: None,
        options: Map::default(),
        resources: false,
        loading: &loading,
    };
    let local = |workspace| directory::local(&source(workspace), directory.path());
    let state = local(None).unwrap().unwrap();
    assert_eq!(state.outputs["w"].value, "staging".into());
    write(directory.path(), &[(".terraform/terraform.tfstate", r#"{"backend": {"type": "s3"}}"#)]);
    let error = local(None).unwrap_err().to_string();
    assert!(error.contains("is kept by the backend 's3'"), "{error}");
    // The local backend with paths of its own, and a configuration that was not initialized.
    let other = r#"{"version": 4, "outputs": {"w": {"value": "other"}}}"#;
    let backend =
        r#"{"backend": {"type": "local", "config": {"path": "x/own.tfstate", "workspace_dir": "y"}}}"#;
    write(
        directory.path(),
        &[
            (".terraform/terraform.tfstate", backend),
            (".terraform/environment", "default"),
            ("x/own.tfstate", other),
            ("y/two/terraform.tfstate", other),
        ],
    );
    for workspace in [None, Some("two")] {
        let state = local(workspace).unwrap().unwrap();
        assert_eq!(state.outputs["w"].value, "other".into());
    }
    for (file, backend) in
        [("terraform {\n  backend \"s3\" {\n  }\n}\n", "s3"), ("terraform { cloud {\n  }\n}\n", "cloud")]
    {
        std::fs::remove_file(directory.path().join(".terraform/terraform.tfstate")).ok();
        write(directory.path(), &[("main.tf", file)]);
        let error = local(None).unwrap_err().to_string();
        assert!(error.contains(&format!("is kept by the backend '{backend}'")), "{error}");
    }
    let error = value("unknown.yml").unwrap_err().to_string();
    assert!(error.contains("has no state of a workspace 'stagign'"), "{error}");
    let help = |workspace: &str| {
        let states = directory.path().join(workspaces::DIRECTORY);
        let error = workspaces::state_file(directory.path(), &states, workspace).unwrap_err();
        error.help().unwrap_or_default().to_owned()
    };
    assert_eq!(help("stagign"), "Did you mean 'staging'?");
    assert_eq!(help("production"), "Its workspaces are: staging.");
    let error = value("absent.yml").unwrap_err().to_string();
    assert!(error.contains("no-such-terraform is needed"), "{error}");
}

#[test]
fn a_state_without_outputs_is_told() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("x.tfstate", r#"{"version": 4, "outputs": {}}"#)]);
    let loaded = load(directory.path(), "terraform:x.tfstate").unwrap();
    let path = directory.path().join("x.tfstate");
    assert_eq!(loaded.warnings, [format!("the Terraform state of {} has no outputs", path.display())]);
}

#[test]
fn utf_16_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let wide: Vec<u8> =
        std::iter::once(0xfeff).chain(OUTPUTS.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(directory.path().join("x.tfstate"), wide).unwrap();
    let loaded = load(directory.path(), "terraform:x.tfstate").unwrap();
    assert_eq!(loaded.inventory.groups["all"].vars["plain"].raw(), "seen".into());
}

#[test]
fn a_large_state_is_read_without_its_resources() {
    let resource = r#"{"mode": "managed", "type": "aws_iam_policy", "name": "p", "instances": [{"attributes": {"id": "i", "policy": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}]}"#;
    let many = vec![resource; 100_000].join(",");
    let text = format!(r#"{{"version": 4, "resources": [{many}], "outputs": {{"o": {{"value": 1}}}}}}"#);
    let state = State::read(text, "x", &Context::default()).unwrap();
    assert_eq!(state.outputs["o"].value, 1.into());
    assert!(state.resources("aws_instance").unwrap().is_empty());
}
