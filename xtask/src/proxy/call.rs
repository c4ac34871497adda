//! One call of an AWS operation, in any protocol.

use serde_json::json;

use crate::http::Message;

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the table belongs to the AWS modules, and the proxy uses a part of it"
)]
#[path = "../../../modules/aws/src/operations.rs"]
mod operations;

use operations::SERVICES;

/// A call of an AWS operation.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service's prefix in IAM policies, such as `ecs`.
    pub service: String,
    /// The operation, such as `DescribeServices`; for S3 and other REST services, the method and the path.
    pub operation: String,
    /// The request's body.
    pub body: String,
    xml: bool,
}

impl Call {
    /// Parses a request.
    pub fn of(request: &Message) -> Call {
        let scope = request.header("authorization").unwrap_or_default();
        let service = match scope.split('/').nth(3).unwrap_or("unsigned") {
            // Its requests are signed for a name of their own.
            "monitoring" => "cloudwatch".to_owned(),
            service => service.to_owned(),
        };
        let body = request.text();
        let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
        let action = body.split('&').find_map(|field| field.strip_prefix("Action="));
        let operation = match (target, action) {
            (Some((_, operation)), _) => operation.to_owned(),
            (None, Some(action)) => action.to_owned(),
            (None, None) => request.start.split(' ').take(2).collect::<Vec<_>>().join(" "),
        };
        Call { service, operation, body, xml: target.is_none() }
    }

    #[cfg(test)]
    pub(super) fn named(service: &str, operation: &str, body: &str) -> Call {
        Call { service: service.into(), operation: operation.into(), body: body.into(), xml: false }
    }

    /// Returns the name in IAM's form, such as `ecs:DescribeServices`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Returns whether the operation is known to change nothing.
    pub fn is_read_only(&self) -> bool {
        SERVICES
            .iter()
            .any(|service| service.prefix == self.service && service.read_only.contains(&&*self.operation))
    }

    /// Returns an error response in the protocol of the call.
    pub fn error(&self, status: u16, code: &str, message: &str) -> Message {
        let (kind, body) = if self.xml {
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
            );
            ("text/xml", body)
        } else {
            ("application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string())
        };
        Message {
            start: format!("HTTP/1.1 {status} {code}"),
            headers: vec![("content-type".into(), kind.into())],
            body: body.into_bytes(),
        }
    }
}
