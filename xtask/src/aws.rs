//! A minimal AWS client that creates in the emulator what Terraform would create in an account.

use serde_json::Value;

use crate::http::{self, Message};
use crate::{Doing, Result};

/// The region of the sandbox and of the tests.
pub const REGION: &str = "eu-central-1";

/// Returns the environment variables that direct any AWS SDK to `endpoint` and hide the developer's own account.
pub fn environment(endpoint: &str) -> Vec<(&'static str, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "sandbox"),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// An emulator, or a proxy in front of one.
#[derive(Clone, Copy)]
pub struct Aws {
    /// Its port on this machine.
    pub port: u16,
}

impl Aws {
    /// Parses an endpoint on this machine, such as `http://127.0.0.1:5000`.
    pub fn at(endpoint: &str) -> Result<Aws> {
        let port = endpoint.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
        port.map(|port| Aws { port }).ok_or(format!("the endpoint '{endpoint}' has no port"))
    }

    /// Calls an operation of ECS.
    pub fn ecs(&self, operation: &str, body: &Value) -> Result<Value> {
        self.json("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body)
    }

    /// Calls an operation of Secrets Manager.
    pub fn secrets(&self, operation: &str, body: &Value) -> Result<Value> {
        self.json("secretsmanager", &format!("secretsmanager.{operation}"), body)
    }

    /// Calls an operation of ECR.
    pub fn ecr(&self, operation: &str, body: &Value) -> Result<Value> {
        self.json("ecr", &format!("AmazonEC2ContainerRegistry_V20150921.{operation}"), body)
    }

    /// Calls an operation of CloudWatch Logs.
    pub fn logs(&self, operation: &str, body: &Value) -> Result<Value> {
        self.json("logs", &format!("Logs_20140328.{operation}"), body)
    }

    /// Creates a bucket and puts an object into it.
    pub fn put_object(&self, bucket: &str, key: &str, body: String) -> Result<()> {
        self.send_to("s3", &format!("PUT /{bucket}/{key}"), &[], body).map(drop)
    }

    /// Creates a bucket.
    pub fn create_bucket(&self, bucket: &str) -> Result<()> {
        let place = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.send_to("s3", &format!("PUT /{bucket}"), &[], place).map(drop)
    }

    /// Calls a service that uses JSON and names the operation in a header.
    fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value> {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        Ok(self.send(service, target, &headers, body.to_string())?.json())
    }

    /// Calls a service that takes a form and responds with XML.
    pub fn query(&self, service: &str, version: &str, parameters: &[(&str, &str)]) -> Result<Xml> {
        let mut body = format!("Version={version}");
        for (name, value) in parameters {
            body.push_str(&format!("&{name}={}", percent_encode(value)));
        }
        let what = parameters.first().map_or("", |(_, value)| value);
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        Ok(Xml(self.send(service, what, &headers, body)?.text()))
    }

    fn send(&self, service: &str, what: &str, headers: &[(&str, &str)], body: String) -> Result<Message> {
        self.send_to(service, "POST /", headers, body).map_err(|e| format!("{what}: {e}"))
    }

    /// Sends a request that begins with `start`: a method and a path.
    fn send_to(&self, service: &str, start: &str, headers: &[(&str, &str)], body: String) -> Result<Message> {
        let credential = format!("sandbox/20260101/{REGION}/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let mut request =
            Message { start: format!("{start} HTTP/1.1"), body: body.into_bytes(), ..Message::default() };
        let host = format!("{service}.{REGION}.amazonaws.com");
        for (name, value) in
            [("host", host.as_str()), ("authorization", &authorization)].iter().chain(headers)
        {
            request.headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        let response = http::ask(self.port, &request).doing(start)?;
        if response.status() >= 300 {
            return Err(format!("{start} failed ({}): {}", response.status(), response.text()));
        }
        Ok(response)
    }
}

/// A response in XML.
pub struct Xml(pub String);

impl Xml {
    /// Returns the text of the first element with this name.
    pub fn text(&self, element: &str) -> Result<String> {
        self.texts(element).into_iter().next().ok_or(format!("the response has no <{element}>: {}", self.0))
    }

    /// Returns the texts of all elements with this name.
    pub fn texts(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let rest = self.0.split(&open).skip(1);
        rest.filter_map(|part| part.split_once(&close).map(|(text, _)| text.to_owned())).collect()
    }
}

/// Percent-encodes everything except letters, digits and `-._~`.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
