//! `uri`, `get_url`, `wait_for` and the probes, against a server of the test's own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use playbook_api::{Context, ProbeState, Registry, Value, map};
use support::{Lab, value};

/// Serves until the test ends; answers its base address.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let lower = head.to_ascii_lowercase();
        let length =
            lower.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = head.split(' ').nth(1)?;
        let ok = |more: &str, text: String| {
            format!("HTTP/1.1 200 OK\r\n{more}Content-Length: {}\r\n\r\n{text}", text.len())
        };
        let text = match path {
            "/json" => ok(
                "Content-Type: application/json\r\nSet-Cookie: a=1; Path=/\r\n\
                X-Some-Header: x\r\n",
                "{\"a\": [1]}".into(),
            ),
            "/echo" => {
                ok("Content-Type: text/plain\r\n", format!("{head}{}", String::from_utf8_lossy(&body)))
            }
            "/there" => "HTTP/1.1 302 Found\r\nLocation: /json\r\nContent-Length: 0\r\n\r\n".into(),
            "/private" if lower.contains("authorization: basic bwu6cdrz") => ok("", "in".into()),
            "/private" => "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                Content-Length: 0\r\n\r\n"
                .into(),
            "/file" if lower.contains("if-modified-since") => "HTTP/1.1 304 Not Modified\r\n\r\n".into(),
            "/file" => ok("Content-Disposition: attachment; filename=\"named.txt\"\r\n", "content\n".into()),
            "/sums" => ok(
                "",
                "3f0a377ba0a4a460ecb616f6507ce0d8cfa3e704025d4fda3ed0c5ca05468728  other\n\
                434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53  file\n"
                    .into(),
            ),
            _ => "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone".into(),
        };
        (&stream).write_all(text.as_bytes()).ok()?;
    }
}

#[test]
fn uri_asks_and_reports() {
    let (lab, at) = (Lab::new(), serve());
    let url = |path: &str| format!("{at}{path}");
    let got = lab.run("uri", map! { "url" => url("/json"), "return_content" => true });
    assert_eq!(value(&got, "json").to_string(), "{'a': [1]}");
    assert_eq!((value(&got, "status"), value(&got, "msg")), (200.into(), "OK (10 bytes)".into()));
    assert_eq!((value(&got, "x_some_header"), value(&got, "content")), ("x".into(), "{\"a\": [1]}".into()));
    assert_eq!(
        (value(&got, "cookies").to_string(), value(&got, "cookies_string")),
        ("{'a': '1'}".into(), "a=1".into())
    );
    assert!(!got.changed);
    let led = lab.run("uri", map! { "url" => url("/there") });
    assert_eq!((value(&led, "redirected"), value(&led, "url")), (true.into(), url("/json").into()));
    let held =
        lab.run("uri", map! { "url" => url("/there"), "follow_redirects" => "none", "status_code" => 302 });
    assert_eq!((value(&held, "status"), value(&held, "location")), (302.into(), url("/json").into()));
    let failure = lab.try_run("uri", map! { "url" => url("/nothing") }).unwrap_err();
    assert_eq!(failure.error.to_string(), "Status code was 404 and not [200]: HTTP Error 404: Not Found");
    assert_eq!(failure.outcome.values.get("status"), Some(&404.into()));
    let refused = lab.fail("uri", map! { "url" => "http://127.0.0.1:1/" });
    assert_eq!(
        refused,
        "Status code was -1 and not [200]: Request failed: <urlopen error [Errno 111] Connection refused>"
    );
    assert!(lab.check("uri", map! { "url" => url("/json") }).skipped);
}

#[test]
fn uri_sends_bodies() {
    let (lab, at) = (Lab::new(), serve());
    let echo = |more: playbook_api::Map| {
        let mut arguments =
            map! { "url" => format!("{at}/echo"), "method" => "post", "return_content" => true };
        arguments.extend(more);
        value(&lab.run("uri", arguments), "content").to_string()
    };
    let json = echo(
        map! { "body_format" => "json", "body" => map! { "a" => vec![1, 2] }, "headers" => map! { "X-N" => 1 } },
    );
    assert!(json.starts_with("POST /echo") && json.ends_with("\r\n\r\n{\"a\": [1, 2]}"), "{json}");
    let lower = json.to_ascii_lowercase();
    assert!(
        lower.contains("content-type: application/json")
            && lower.contains("x-n: 1")
            && lower.contains("user-agent: ansible-httpget")
    );
    let form = echo(
        map! { "body_format" => "form-urlencoded", "body" => map! { "a b" => vec!["x", "ü"], "c" => 1 } },
    );
    assert!(form.ends_with("\r\n\r\na+b=x&a+b=%C3%BC&c=1"), "{form}");
    let file = lab.write("f.txt", "hello");
    let parts = map! { "plain" => "p", "file" => map! { "filename" => file }, "made" => map! { "content" => "c", "filename" => "m.json" } };
    let multi = echo(map! { "body_format" => "form-multipart", "body" => parts });
    for part in [
        "name=\"plain\"\r\n\r\np\r\n",
        "filename=\"f.txt\"\r\n\r\naGVsbG8=\r\n",
        "application/json\r\nContent-Disposition: form-data; name=\"made\"; filename=\"m.json\"\r\n\r\nc\r\n",
    ] {
        assert!(multi.contains(part), "{part} in {multi}");
    }
}

#[test]
fn uri_gives_names_and_keeps_content() {
    let (lab, at) = (Lab::new(), serve());
    let who = map! { "url" => format!("{at}/private"), "url_username" => "me", "url_password" => ":sq" };
    assert!(lab.try_run("uri", who).is_err());
    let who = map! { "url" => format!("{at}/private"), "user" => "me", "password" => "p4s", "return_content" => true };
    assert_eq!(value(&lab.run("uri", who), "content"), "in".into());
    let kept = lab.run("uri", map! { "url" => format!("{at}/file"), "dest" => lab.at("") });
    assert!(kept.changed && lab.read("named.txt") == "content\n");
    assert_eq!(value(&kept, "path"), lab.path("named.txt").display().to_string().into());
}

#[test]
fn get_url_downloads_once() {
    let (lab, at) = (Lab::new(), serve());
    let url = format!("{at}/file");
    let sum = "sha256:434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53";
    let made = lab.changes_once(
        "get_url",
        map! { "url" => &url, "dest" => lab.at("f"), "mode" => "0600", "checksum" => sum },
    );
    assert_eq!(
        (lab.read("f").as_str(), value(&made, "status_code"), value(&made, "mode")),
        ("content\n", 200.into(), "0600".into())
    );
    let listed = format!("sha256:{at}/sums");
    lab.changes_once("get_url", map! { "url" => &url, "dest" => lab.at("g"), "checksum" => listed });
    let bad = lab.fail("get_url", map! { "url" => &url, "dest" => lab.at("h"), "checksum" => "sha1:abc" });
    assert!(bad.contains("did not match abc; it was ") && !lab.path("h").exists(), "{bad}");
    assert_eq!(
        lab.fail("get_url", map! { "url" => format!("{at}/no"), "dest" => lab.at("h") }),
        "Request failed"
    );
    let nowhere = lab.fail("get_url", map! { "url" => &url, "dest" => lab.at("no/h") });
    assert_eq!(nowhere, format!("Destination {} does not exist", lab.at("no")));
    let form = lab.fail("get_url", map! { "url" => &url, "dest" => lab.at("h"), "checksum" => "abc" });
    assert_eq!(form, "The checksum parameter has to be in format <algorithm>:<checksum>");
}

#[test]
fn wait_for_ports_and_files() {
    let (lab, at) = (Lab::new(), serve());
    let port: i64 = at.rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(
        value(&lab.run("wait_for", map! { "port" => port, "timeout" => 30 }), "state"),
        "started".into()
    );
    assert_eq!(
        lab.fail("wait_for", map! { "port" => 1, "timeout" => 1 }),
        "Timeout when waiting for 127.0.0.1:1"
    );
    lab.run("wait_for", map! { "port" => 1, "state" => "stopped", "timeout" => 30 });
    lab.run("wait_for", map! { "port" => 1, "state" => "drained", "timeout" => 30 });
    let path = lab.write("f", "is completed now");
    let found = lab.run("wait_for", map! { "path" => &path, "search_regex" => "(?P<what>comp\\w+) (now)" });
    assert_eq!(value(&found, "match_groups").to_string(), "['completed', 'now']");
    assert_eq!(
        (value(&found, "match_groupdict").to_string(), value(&found, "state")),
        ("{'what': 'completed'}".into(), "file".into())
    );
    let message = lab.fail("wait_for", map! { "path" => &path, "state" => "absent", "timeout" => 0 });
    assert_eq!(message, format!("Timeout when waiting for {path} to be absent."));
    assert_eq!(lab.fail("wait_for", map! { "path" => "/x", "timeout" => 0, "msg" => "own" }), "own");
    assert_eq!(
        lab.fail("wait_for", map! { "path" => "/x", "port" => 1 }),
        "port and path parameter can not both be passed to wait_for"
    );
}

#[tokio::test]
async fn probes_look() {
    let (lab, at) = (Lab::new(), serve());
    let mut registry = Registry::default();
    playbook_host::register(&mut registry);
    let context = Context::default();
    let port: i64 = at.rsplit(':').next().unwrap().parse().unwrap();
    let file = lab.write("f", "ready");
    for (name, options, met) in [
        ("http", map! { "url" => format!("{at}/json"), "body_match" => "\\[1\\]" }, true),
        ("http", map! { "url" => format!("{at}/json"), "body_match" => "none" }, false),
        ("http", map! { "url" => format!("{at}/nothing") }, false),
        ("http", map! { "url" => format!("{at}/nothing"), "status" => 404 }, true),
        ("tcp", map! { "port" => port }, true),
        ("tcp", map! { "port" => 1 }, false),
        ("tcp", map! { "port" => 1, "state" => "closed" }, true),
        ("file", map! { "path" => &file, "search_regex" => "rea" }, true),
        ("file", map! { "path" => "/no/such" }, false),
    ] {
        let state = registry.probe(name).unwrap().look(&options, &context).await.unwrap();
        assert_eq!(matches!(state, ProbeState::Met(_)), met, "{name} {:?}: {state:?}", Value::from(options));
    }
}

#[test]
fn credentials_in_urls_are_masked() {
    let lab = Lab::new();
    for (url, shown) in [
        ("http://user:s3cr3t@127.0.0.1:1/x", "http://****:****@127.0.0.1:1/x"),
        ("http://user@127.0.0.1:1/x", "http://****@127.0.0.1:1/x"),
        ("http://127.0.0.1:1/x@y", "http://127.0.0.1:1/x@y"),
    ] {
        for (module, arguments) in
            [("uri", map! { "url" => url }), ("get_url", map! { "url" => url, "dest" => lab.at("x") })]
        {
            let failure = lab.try_run(module, arguments).unwrap_err();
            assert_eq!(failure.outcome.values.get("url"), Some(&shown.into()), "{module}");
            assert!(!failure.error.to_string().contains("s3cr3t"));
        }
    }
}
