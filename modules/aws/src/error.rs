//! Conversion of the SDK's errors into errors for users.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use playbook_api::Error;

use crate::read_only::Stopped;

/// Conversions of the result of a call.
pub(crate) trait Explain<T> {
    /// Converts the error for users. `action` is the call as named in IAM: `ecs:UpdateService`.
    fn explain(self, action: &str) -> Result<T, Error>;

    /// Returns `None` if AWS responds with one of these codes, since the resource does not exist.
    fn missing(self, action: &str, codes: &[&str]) -> Result<Option<T>, Error>;
}

impl<T, E> Explain<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn explain(self, action: &str) -> Result<T, Error> {
        self.map_err(|e| error(action, &e))
    }

    fn missing(self, action: &str, codes: &[&str]) -> Result<Option<T>, Error> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(e) if code(&e).is_some_and(|c| codes.contains(&c)) => Ok(None),
            Err(e) => Err(error(action, &e)),
        }
    }
}

/// Returns the error code of a failure: `AccessDeniedException`.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Returns an error and its causes on one line, each once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let next = e.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = e.source();
    }
    text
}

fn cause<'a, C: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a C> {
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(found) = e.downcast_ref::<C>() {
            return Some(found);
        }
        next = e.source();
    }
    None
}

fn error<E>(action: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if let Some(stopped) = cause::<Stopped>(error) {
        return Error::new(format!("{stopped}, and the module should not have asked for it"))
            .with_help("nothing was changed; this is a fault of the module");
    }
    if let Some(service) = error.as_service_error() {
        let status = error.raw_response().map_or(0, |r| r.status().as_u16());
        return answered(action, service.code().unwrap_or("error"), service.message().unwrap_or(""), status);
    }
    let detail = chain(error);
    match error {
        SdkError::TimeoutError(_) => Error::new(format!("{action}: no answer in time: {detail}"))
            .with_help("try again, or raise `aws_config: {read_timeout: …}`"),
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            Error::new(format!("{action}: cannot reach the endpoint: {detail}"))
                .with_help("check the network, the region, `endpoint_url` and the proxy settings")
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            if status >= 500 {
                return answered(action, "no message", "", status);
            }
            Error::new(format!("{action}: the endpoint's answer (HTTP {status}) is not AWS's: {detail}"))
                .with_help("check `endpoint_url`: does an AWS service listen there?")
        }
        _ if no_credentials(&detail) => Error::new(format!("{action}: no AWS credentials were found")).with_help(
            "set AWS_PROFILE or `profile`, log in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        _ if detail.to_lowercase().contains("credentials") => {
            Error::new(format!("{action}: AWS credentials could not be obtained: {detail}"))
                .with_help("log in again (`aws sso login`), or check the profile's role and keys")
        }
        _ => Error::new(format!("{action} failed: {detail}")),
    }
}

fn no_credentials(detail: &str) -> bool {
    detail.contains("no providers in chain provided credentials")
        || detail.contains("the credential provider was not enabled")
        || detail.contains("No credentials")
}

/// An error in a response of AWS.
fn answered(action: &str, code: &str, message: &str, status: u16) -> Error {
    let said = if message.is_empty() { code.to_owned() } else { format!("{message} ({code})") };
    if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" || code == "AuthorizationError" {
        return Error::new(format!("access denied: not allowed to call {action}: {said}")).with_help(
            format!(
                "add {action} to the policy of the role or user that runs this, or use another `profile`"
            ),
        );
    }
    if code.starts_with("ExpiredToken") || code == "RequestExpired" {
        return Error::new(format!("{action}: the AWS session has expired: {said}"))
            .with_help("log in again (`aws sso login`), or renew the session token");
    }
    if ["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch"]
        .contains(&code)
        || code == "IncompleteSignature"
    {
        return Error::new(format!("{action}: AWS does not accept the credentials: {said}"))
            .with_help("check the access key, its secret and the clock of this machine");
    }
    if code.contains("Throttl")
        || ["TooManyRequestsException", "RequestLimitExceeded", "SlowDown"].contains(&code)
    {
        return Error::new(format!("{action}: AWS still throttles the calls after every retry: {said}"))
            .with_help(
                "try again later, lower `forks`, or raise `aws_config: {retries: {max_attempts: …}}`",
            );
    }
    if status >= 500 {
        return Error::new(format!("{action}: AWS failed with HTTP {status} after every retry: {said}"))
            .with_help("try again; the AWS health page says whether the service has trouble");
    }
    match code {
        "ClusterNotFoundException" => Error::new(format!("{action}: the ECS cluster does not exist: {said}"))
            .with_help("check `cluster`, `region` and the account; ecs_cluster creates one"),
        "ServiceNotFoundException" => Error::new(format!("{action}: the ECS service does not exist: {said}"))
            .with_help("check `name`, `cluster` and `region`"),
        _ => Error::new(format!("{action} failed: {said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_says_what_to_do() {
        let denied = answered("ecs:UpdateService", "AccessDeniedException", "User x is not authorized", 400);
        assert_eq!(
            denied.message(),
            "access denied: not allowed to call ecs:UpdateService: User x is not authorized (AccessDeniedException)"
        );
        assert!(denied.help().unwrap().contains("add ecs:UpdateService to the policy"));
        assert!(answered("a:B", "ThrottlingException", "Rate exceeded", 400).message().contains("throttles"));
        assert!(answered("a:B", "InternalError", "", 503).message().contains("HTTP 503"));
        assert_eq!(answered("a:B", "Odd", "", 400).message(), "a:B failed: Odd");
    }
}
