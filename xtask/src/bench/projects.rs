//! Large projects: one that is generated, in the shape of Kubespray, and those that packages bring.

use std::fmt::Write;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use xtask::{Doing, Result, python};

/// The numbers of the generated project: it lists about 2,000 tasks.
const ROLES: usize = 60;
const FILES_OF_A_ROLE: usize = 5;
const TASKS_OF_A_FILE: usize = 10;
const VARIABLES_OF_A_GROUP: usize = 150;

/// Returns the collections that Ansible's package brings, and those of DebOps.
pub(super) fn collections(bin: &Path) -> Result<(PathBuf, PathBuf)> {
    let packages = python::site_packages(bin)?;
    Ok((packages.clone(), packages.join("debops/_data/ansible/collections")))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).doing(format!("creating {}", parent.display()))?;
    }
    fs::write(path, text).doing(format!("writing {}", path.display()))
}

/// Writes a project in the shape of Kubespray: a playbook that imports others, plays with many roles, roles that depend on
/// one with all defaults, tasks in nested files, and group_vars.
pub(super) fn nested(root: &Path) -> Result<()> {
    let mut hosts = String::new();
    for (group, count) in [("kube_control_plane", 3), ("etcd", 3), ("kube_node", 20)] {
        let _ = writeln!(hosts, "[{group}]");
        for n in 1..=count {
            let _ = writeln!(hosts, "{group}{n} ip=10.0.{}.{n}", group.len());
        }
    }
    hosts += "[k8s_cluster:children]\nkube_control_plane\nkube_node\n";
    write(&root.join("hosts"), &hosts)?;
    for group in ["all/all", "all/etcd", "k8s_cluster/cluster", "k8s_cluster/addons", "etcd"] {
        write(&root.join("group_vars").join(group).with_extension("yml"), &variables(group))?;
    }
    write(&root.join("roles/defaults/defaults/main.yml"), &variables("defaults"))?;
    for role in 0..ROLES {
        self::role(&root.join("roles").join(format!("role{role}")), role)?;
    }
    let mut site = String::from("---\n");
    for (index, hosts) in
        ["localhost", "etcd", "k8s_cluster", "kube_control_plane", "kube_node"].iter().enumerate()
    {
        let _ = writeln!(site, "- name: Stage {index}\n  import_playbook: playbooks/stage{index}.yml");
        let mut play = format!(
            "---\n- name: Prepare stage {index}\n  hosts: {hosts}\n  gather_facts: false\n  \
             environment: \"{{{{ proxy_environment | default({{}}) }}}}\"\n  roles:\n    - {{role: defaults}}\n"
        );
        for role in (index..ROLES).step_by(5) {
            let _ = writeln!(
                play,
                "    - {{role: role{role}, tags: [stage{index}, role{role}], when: stage{index} | default(true)}}"
            );
        }
        write(&root.join(format!("playbooks/stage{index}.yml")), &play)?;
    }
    write(&root.join("site.yml"), &site)?;
    let config = "[defaults]\ninventory = hosts\nroles_path = roles\n";
    write(&root.join("ansible.cfg"), config)
}

fn variables(prefix: &str) -> String {
    let prefix = prefix.replace('/', "_");
    let mut text = String::from("---\n");
    for n in 0..VARIABLES_OF_A_GROUP {
        let _ = match n % 3 {
            0 => writeln!(
                text,
                "# What is downloaded, and from where\n\
                {prefix}_url_{n}: \"https://{{{{ {prefix}_host | default('example.com') }}}}/v{n}\""
            ),
            1 => writeln!(
                text,
                "{prefix}_options_{n}:\n  enabled: true\n  container: registry.example.com/image{n}\n  groups:\n    - k8s_cluster\n    - etcd"
            ),
            _ => writeln!(text, "{prefix}_number_{n}: {n}"),
        };
    }
    text
}

fn role(root: &Path, role: usize) -> Result<()> {
    let mut main = String::from("---\n");
    for file in 0..FILES_OF_A_ROLE {
        let _ = writeln!(
            main,
            "- name: Import part {file}\n  import_tasks: part{file}.yml\n  when: role{role}_part{file} | default(true) | bool\n  tags: [part{file}]\n"
        );
        let mut tasks = String::from("---\n");
        for task in 0..TASKS_OF_A_FILE {
            let _ = match task % 3 {
                0 => writeln!(
                    tasks,
                    "- name: \"Role {role} | Write the configuration {task}\"\n  copy:\n    content: \"{{{{ role{role}_options_1 | to_nice_yaml }}}}\"\n    dest: \"/etc/role{role}/part{file}-{task}.conf\"\n    owner: root\n    mode: \"0640\"\n  become: true\n  notify: Restart role {role}\n  when:\n    - inventory_hostname in groups['k8s_cluster']\n    - role{role}_number_2 | int > {task}\n"
                ),
                1 => writeln!(
                    tasks,
                    "- name: \"Role {role} | Ask for the state {task}\"\n  command: \"/usr/local/bin/tool --config {{{{ role{role}_url_0 }}}} get nodes\"\n  register: role{role}_state_{task}\n  changed_when: false\n  failed_when: role{role}_state_{task}.rc not in [0, 1]\n  until: role{role}_state_{task} is succeeded\n  retries: 4\n  delay: 5\n"
                ),
                _ => writeln!(
                    tasks,
                    "- name: \"Role {role} | In a block {task}\"\n  block:\n    - name: \"Role {role} | Set a variable {task}\"\n      set_fact:\n        role{role}_set_{task}: \"{{{{ role{role}_state_1.stdout | default('') }}}}\"\n    - name: \"Role {role} | Include what depends on hosts\"\n      include_tasks: part0.yml\n      loop: \"{{{{ groups['etcd'] }}}}\"\n      loop_control:\n        loop_var: node\n  tags: [never, block{task}]\n"
                ),
            };
        }
        write(&root.join(format!("tasks/part{file}.yml")), &tasks)?;
    }
    write(&root.join("tasks/main.yml"), &main)?;
    write(&root.join("defaults/main.yml"), &variables(&format!("role{role}")))?;
    write(
        &root.join("handlers/main.yml"),
        &format!(
            "---\n- name: Restart role {role}\n  service:\n    name: role{role}\n    state: restarted\n"
        ),
    )?;
    write(&root.join("meta/main.yml"), "---\ndependencies:\n  - role: defaults\n")
}

/// Writes a playbook that calls one module after the other of the collections in `site_packages`.
pub(super) fn modules(root: &Path, site_packages: &Path) -> Result<()> {
    const COLLECTIONS: [&str; 12] = [
        "ansible/posix",
        "ansible/utils",
        "community/crypto",
        "community/docker",
        "community/general",
        "community/grafana",
        "community/mysql",
        "community/postgresql",
        "community/rabbitmq",
        "community/zabbix",
        "kubernetes/core",
        "openstack/cloud",
    ];
    let mut play = String::from("---\n- hosts: all\n  gather_facts: false\n  tasks:\n");
    for collection in COLLECTIONS {
        let directory = site_packages.join("ansible_collections").join(collection).join("plugins/modules");
        let mut modules: Vec<String> = fs::read_dir(&directory)
            .doing(format!("listing {}", directory.display()))?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".py").map(str::to_owned))
            .filter(|name| !name.starts_with('_'))
            .collect();
        modules.sort();
        let prefix = collection.replace('/', ".");
        for module in modules {
            let _ = writeln!(
                play,
                "    - name: Call {module}\n      {prefix}.{module}:\n        name: \"{{{{ inventory_hostname }}}}\"\n      when: false"
            );
        }
    }
    write(&root.join("site.yml"), &play)?;
    write(&root.join("hosts"), "localhost ansible_connection=local\n")?;
    let config = format!("[defaults]\ninventory = hosts\ncollections_path = {}\n", site_packages.display());
    write(&root.join("ansible.cfg"), &config)
}

/// Writes an inventory and a configuration for DebOps. Returns its playbook.
pub(super) fn debops(root: &Path, site_packages: &Path, debops: &Path) -> Result<PathBuf> {
    write(&root.join("hosts"), "[debops_all_hosts]\nnode[1:3]\n[debops_service_nginx]\nnode1\n")?;
    let (debops_path, ansible) = (debops.display(), site_packages.display());
    let config = format!("[defaults]\ninventory = hosts\ncollections_path = {debops_path}:{ansible}\n");
    write(&root.join("ansible.cfg"), &config)?;
    Ok(debops.join("ansible_collections/debops/debops/playbooks/site.yml"))
}

/// Writes a Terraform state of about 100 MB: one with 100,000 instances and three outputs. It is written piece by piece,
/// since the memory that a program starts with is that of the one which started it.
pub(super) fn terraform_state(path: &Path) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let mut file = io::BufWriter::new(fs::File::create(path).doing(doing())?);
    let mut text = String::from(
        "{\n  \"version\": 4,\n  \"terraform_version\": \"1.9.5\",\n  \"serial\": 7,\n  \"lineage\": \"0e\",\n  \"outputs\": {\n    \"address\": {\"value\": \"10.0.0.1\", \"type\": \"string\"},\n    \"names\": {\"value\": [\"a\", \"b\"], \"type\": [\"list\", \"string\"]},\n    \"password\": {\"value\": \"hunter22\", \"type\": \"string\", \"sensitive\": true}\n  },\n  \"resources\": [\n",
    );
    for resource in 0..1000 {
        let _ = writeln!(
            text,
            "    {{\n      \"mode\": \"managed\",\n      \"type\": \"aws_instance\",\n      \"name\": \"server{resource}\",\n      \"provider\": \"provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\",\n      \"instances\": ["
        );
        for instance in 0..100 {
            let comma = if instance == 99 { "" } else { "," };
            let _ = writeln!(
                text,
                "        {{\"index_key\": {instance}, \"schema_version\": 1, \"attributes\": \
                {{\"id\": \"i-{resource:08x}{instance:04x}\", \"private_ip\": \"10.{}.{}.{instance}\", \"tags\": \
                {{\"Name\": \"server{resource}-{instance}\", \"Role\": \"web\"}}, \"user_data\": \"{}\"}}, \"sensitive_attributes\": \
                []}}{comma}",
                resource / 250,
                resource % 250,
                "x".repeat(760)
            );
        }
        text += if resource == 999 { "      ]\n    }\n" } else { "      ]\n    },\n" };
        file.write_all(text.as_bytes()).doing(doing())?;
        text.clear();
    }
    file.write_all(b"  ]\n}\n").and_then(|()| file.flush()).doing(doing())
}
