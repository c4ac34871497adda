//! `playbook galaxy collection`: built, published on a server of the test's own, and installed again.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::Project;

/// A Galaxy server with a few collections; it notes what it is asked for.
struct Galaxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Galaxy {
    fn start(answers: HashMap<String, Vec<u8>>) -> Galaxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &answers, &noted);
            }
        });
        Galaxy { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the notes").clone()
    }
}

fn answer(
    mut stream: TcpStream,
    answers: &HashMap<String, Vec<u8>>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    let mut token = String::new();
    while reader.read_line(&mut line)? > 2 {
        if line.to_lowercase().starts_with("authorization:") {
            token = format!(" with {}", line[14..].trim());
        }
        line.clear();
    }
    let path = first.split_whitespace().nth(1).unwrap_or_default().to_owned();
    asked.lock().expect("the notes").push(path.clone() + &token);
    let (status, body) = match answers.get(&path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", "{}".as_bytes()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}

/// The tarball of a collection with one role.
fn tarball(name: &str, version: &str, dependencies: &str) -> Vec<u8> {
    let (namespace, short) = name.split_once('.').expect("a full name");
    let galaxy = format!(
        "namespace: {namespace}\nname: {short}\nversion: {version}\nreadme: README.md\nauthors: [me]\n\
        dependencies: {dependencies}\n"
    );
    let role = format!("- debug:\n    msg: this is {name} {version}\n");
    let project =
        Project::new(&[("galaxy.yml", &galaxy), ("README.md", "x"), ("roles/hello/tasks/main.yml", &role)]);
    project.run(&["galaxy", "collection", "build"]).ok();
    std::fs::read(project.path().join(format!("{namespace}-{short}-{version}.tar.gz"))).expect("a tarball")
}

/// A server with acme.app, which needs acme.lib before 2.
fn server() -> Galaxy {
    let mut answers: HashMap<String, Vec<u8>> = HashMap::new();
    for (name, versions, dependencies) in [
        ("acme.app", vec!["1.0.0", "1.5.0", "2.0.0", "3.0.0-beta.1"], "{acme.lib: '>=1.0,<2'}"),
        ("acme.lib", vec!["0.9.0", "1.2.0", "2.1.0"], "{}"),
    ] {
        let base = format!("/api/v3/collections/{}/versions/", name.replace('.', "/"));
        // On two pages.
        let data: Vec<_> = versions.iter().map(|version| json!({"version": version})).collect();
        let (one, two) = data.split_at(1);
        let next = format!("{base}?limit=100&offset=1");
        let page = json!({"meta": {"count": data.len()}, "links": {"next": next}, "data": one});
        answers.insert(format!("{base}?limit=100"), page.to_string().into_bytes());
        answers.insert(next, json!({"links": {"next": null}, "data": two}).to_string().into_bytes());
        for version in versions {
            let bytes = tarball(name, version, dependencies);
            let file = format!("/download/{}-{version}.tar.gz", name.replace('.', "-"));
            let needs = if name == "acme.app" { json!({"acme.lib": ">=1.0,<2"}) } else { json!({}) };
            let about =
                json!({"version": version, "download_url": file, "metadata": {"dependencies": needs}});
            answers.insert(format!("{base}{version}/"), about.to_string().into_bytes());
            answers.insert(file, bytes);
        }
    }
    Galaxy::start(answers)
}

#[test]
fn collections_come_from_a_server_with_what_they_need() {
    let galaxy = server();
    let config = format!(
        "[defaults]\ncollections_path = ./collections\n[galaxy]\nserver_list = mine\n\
        [galaxy_server.mine]\nurl = {}/api/\ntoken = abc\n",
        galaxy.address
    );
    let requirements = "collections:\n  - name: acme.app\n    version: '>=1.0.0,<2.0.0'\n";
    let book = "- hosts: localhost\n  gather_facts: false\n  roles: [acme.app.hello, acme.lib.hello]\n";
    let project =
        Project::new(&[("ansible.cfg", &config), ("requirements.yml", requirements), ("site.yml", book)]);
    let install = ["galaxy", "collection", "install", "-r", "requirements.yml", "--lock-file", "galaxy.lock"];
    project.run(&install).ok().says(&[
        "Starting galaxy collection install process",
        "acme.app:1.5.0 was installed successfully",
        "acme.lib:1.2.0 was installed successfully",
    ]);
    assert!(galaxy.asked().iter().all(|path| path.ends_with(" with Token abc")), "{:?}", galaxy.asked());
    project
        .run(&["run", "site.yml", "-i", "localhost,", "-c", "local"])
        .ok()
        .says(&["this is acme.app 1.5.0", "this is acme.lib 1.2.0"]);
    project.run(&["galaxy", "collection", "list"]).ok().says(&["acme.app   1.5.0", "acme.lib   1.2.0"]);
    project.run(&install).ok().says(&["'acme.app:1.5.0' is already installed, skipping."]);

    // The lock holds, until it is gone or changed.
    let lock = std::fs::read_to_string(project.path().join("galaxy.lock")).expect("the lock file");
    assert!(lock.contains("acme.app") && lock.contains("1.5.0") && lock.contains("sha256"), "{lock}");
    std::fs::remove_dir_all(project.path().join("collections")).expect("removed");
    project.write("galaxy.lock", &lock.replace("1.5.0", "1.0.0").replace("sha256", "other"));
    project.run(&install).ok().says(&["acme.app:1.0.0 was installed successfully"]);
    std::fs::remove_dir_all(project.path().join("collections")).expect("removed");
    let broken = lock.lines().map(|line| match line.split_once("sha256: ") {
        Some((start, _)) => format!("{start}sha256: abcdef\n"),
        None => format!("{line}\n"),
    });
    project.write("galaxy.lock", &broken.collect::<String>());
    project.run(&install).fails(1).says(&["Mismatched artifact hash for acme."]);
}

#[test]
fn what_does_not_fit_is_told() {
    let galaxy = server();
    let project = Project::new(&[]);
    let install = |what: &str| {
        project.run(&["galaxy", "collection", "install", what, "-s", &galaxy.address, "-p", "c"])
    };
    install("acme.app:>=4").fails(1).says(&[
        "No version of acme.app fulfills all requirements: >=4 (by the requirements)",
        "3.0.0-beta.1, 2.0.0, 1.5.0, 1.0.0",
    ]);
    install("acme.none").fails(1).says(&["The collection acme.none is not on any of the Galaxy servers"]);
    install("../evil").fails(1).says(&["'../evil' does not exist"]);
    install("acme.app:~1").fails(1).says(&["'~1' is not a valid version requirement"]);
    install("acme.app:3.0.0-beta.1").ok().says(&["acme.app:3.0.0-beta.1 was installed successfully"]);
    assert!(project.path().join("c/ansible_collections/acme/lib/MANIFEST.json").exists());
}

#[test]
fn collections_come_from_files_directories_and_git() {
    let project = Project::new(&[
        ("src/galaxy.yml", "namespace: acme\nname: own\nversion: 1.0.0\nreadme: README.md\nauthors: [me]\n"),
        ("src/README.md", "x"),
        ("src/roles/hello/tasks/main.yml", "- debug: msg=hello\n"),
        ("requirements.yml", "collections:\n  - name: ./src\n    type: dir\n"),
    ]);
    project.write("one.tar.gz", "");
    std::fs::write(project.path().join("one.tar.gz"), tarball("acme.one", "0.1.0", "{}")).expect("a tarball");
    let install = |arguments: &[&str]| {
        let all: Vec<&str> = ["galaxy", "collection", "install", "-p", "c"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        project.run(&all)
    };
    install(&["-r", "requirements.yml"]).ok().says(&["acme.own:1.0.0 was installed successfully"]);
    install(&["./one.tar.gz"]).ok().says(&["acme.one:0.1.0 was installed successfully"]);
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-C"])
            .arg(project.path().join("src"));
        assert!(command.args(arguments).output().expect("git runs").status.success());
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["tag", "v1"]);
    std::fs::remove_dir_all(project.path().join("c")).expect("removed");
    let source = format!("git+file://{},v1", project.path().join("src").display());
    install(&[&source]).ok().says(&["acme.own:1.0.0 was installed successfully"]);
    assert!(project.path().join("c/ansible_collections/acme/own/roles/hello/tasks/main.yml").exists());
}

#[test]
fn what_was_published_is_compared_with_what_is_there() {
    let galaxy = server();
    let project = Project::new(&[]);
    let run = |action: &str, more: &[&str]| {
        let all: Vec<&str> =
            ["galaxy", "collection", action].into_iter().chain(more.iter().copied()).collect();
        project.run(&all)
    };
    run("install", &["acme.lib:1.2.0", "-s", &galaxy.address, "-p", "c"]).ok();
    let verify = ["acme.lib", "-s", &galaxy.address, "-p", "c"];
    run("verify", &verify).ok().says(&["'acme.lib:1.2.0' match the remote collection."]);
    run("verify", &["acme.lib", "--offline", "-p", "c"])
        .ok()
        .says(&["internally consistent with its manifest"]);
    project.write("c/ansible_collections/acme/lib/README.md", "changed");
    run("verify", &verify).fails(1).says(&["contains modified content", "    README.md"]);
    run("verify", &["acme.lib", "--offline", "-p", "c"]).fails(1).says(&["    README.md"]);
    run("verify", &["acme.none", "-p", "c"]).fails(1).says(&["is not installed"]);
}

#[test]
fn what_is_begun_here_is_built_and_published() {
    let task = json!({"task": "/api/v3/imports/collections/7/"}).to_string();
    let import =
        json!({"state": "completed", "finished_at": "now", "messages": [{"message": "all is well"}]});
    let answers = HashMap::from([
        ("/api/v3/artifacts/collections/".to_owned(), task.into_bytes()),
        ("/api/v3/imports/collections/7/".to_owned(), import.to_string().into_bytes()),
    ]);
    let galaxy = Galaxy::start(answers);
    let config = format!(
        "[galaxy]\nserver_list = mine\n[galaxy_server.mine]\nurl = {}/api/\ntoken = abc\n",
        galaxy.address
    );
    let project = Project::new(&[("ansible.cfg", &config)]);
    let run = |words: &str| {
        let all: Vec<&str> = std::iter::once("galaxy").chain(words.split(' ')).collect();
        project.run(&all)
    };
    run("collection init acme.new").ok().says(&["Collection acme.new was created successfully"]);
    run("collection init acme.new").fails(1).says(&["already exists"]);
    run("collection init ../evil").fails(1);
    run("collection build acme/new").ok();
    run("collection publish acme-new-1.0.0.tar.gz")
        .ok()
        .says(&["all is well", "successfully published and imported to the Galaxy server mine"]);
    let asked = galaxy.asked();
    assert_eq!(asked[0], "/api/v3/artifacts/collections/ with Token abc");

    run("role init web --init-path roles").ok().says(&["Role web was created successfully"]);
    project.write("site.yml", "- hosts: localhost\n  gather_facts: false\n  roles: [web]\n");
    project.run(&["run", "site.yml", "-i", "localhost,", "-c", "local"]).ok();
    run("role info web --offline -p roles").ok().says(&["Role: web", "author: your name"]);
    run("role remove web -p roles").ok().says(&["successfully removed web"]);
}

#[test]
fn roles_are_looked_for_on_a_server() {
    let found =
        json!({"count": 1, "results": [{"username": "me", "name": "web", "description": "a server"}]});
    let role =
        json!({"results": [{"name": "web", "summary_fields": {"versions": []}, "description": "a server"}]});
    let galaxy = Galaxy::start(HashMap::from([
        (
            "/api/v1/search/roles/?autocomplete=web%20server&page_size=1000".to_owned(),
            found.to_string().into_bytes(),
        ),
        ("/api/v1/roles/?owner__username=me&name=web".to_owned(), role.to_string().into_bytes()),
    ]));
    let project = Project::new(&[]);
    let run = |words: &[&str]| {
        let all: Vec<&str> = ["galaxy", "role"]
            .into_iter()
            .chain(words.iter().copied())
            .chain(["-s", &galaxy.address])
            .collect();
        project.run(&all)
    };
    run(&["search", "web", "server"]).ok().says(&[
        "Found 1 roles matching your search.",
        "me.web",
        "a server",
    ]);
    run(&["search", "nothing"]).fails(1).says(&["No roles match your search."]);
    run(&["info", "me.web"]).ok().says(&["Role: me.web", "description: a server"]);
    run(&["info", "me.none"]).ok().says(&["the role me.none was not found"]);
}
