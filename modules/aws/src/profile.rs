//! Checks of a profile before it is used: whether it exists, and whether it requires MFA.

use std::borrow::Cow;

use aws_config::profile::{ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use playbook_api::Error;

use crate::connection::Connection;

/// Checks the profile early, since the standard chain would fail late with an unhelpful message. Returns whether the
/// profile sets the number of attempts.
pub(crate) async fn check(connection: &Connection, env: &Env) -> Result<bool, Error> {
    let chosen = connection.profile.clone().map(Cow::Owned);
    let profiles = load(&Fs::real(), env, &EnvConfigFiles::default(), chosen)
        .await
        .map_err(|e| Error::new(format!("cannot read the AWS profiles: {}", crate::error::chain(&e))))?;
    let keys_in_environment = env.get("AWS_ACCESS_KEY_ID").is_ok_and(|id| !id.is_empty());
    let has_keys = connection.access_key.is_some() || (connection.profile.is_none() && keys_in_environment);
    if !has_keys {
        let asked = connection.profile.clone().or_else(|| env.get("AWS_PROFILE").ok());
        examine(&profiles, asked.as_deref())?;
    }
    Ok(profiles.get("max_attempts").is_some())
}

fn examine(profiles: &ProfileSet, asked: Option<&str>) -> Result<(), Error> {
    let mut name = asked.unwrap_or("default");
    if asked.is_some() && profiles.get_profile(name).is_none() {
        let mut known: Vec<&str> = profiles.profiles().collect();
        known.sort_unstable();
        let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
        return Err(Error::new(format!("there is no AWS profile '{name}'"))
            .with_help(format!("profiles in ~/.aws/config and ~/.aws/credentials: {known}")));
    }
    let mut seen: Vec<&str> = Vec::new();
    while let Some(profile) = profiles.get_profile(name) {
        if let (Some(device), Some(_)) = (profile.get("mfa_serial"), profile.get("role_arn")) {
            return Err(Error::new(format!("the AWS profile '{name}' wants a one-time password from the MFA device {device}"))
                .with_help(format!(
                    "log in first and hand over the session: `eval $(aws configure export-credentials --profile {name} --format env)`"
                )));
        }
        seen.push(name);
        match profile.get("source_profile") {
            Some(source) if !seen.contains(&source) => name = source,
            _ => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_runtime::env_config::file::EnvConfigFileKind;

    async fn check_config(text: &str, asked: Option<&str>) -> Result<(), Error> {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
        let profiles = load(&Fs::real(), &Env::from_slice(&[]), &files, None).await.unwrap();
        examine(&profiles, asked)
    }

    const CONFIG: &str = "[profile base]\naws_access_key_id = A\naws_secret_access_key = B\n\
        [profile guarded]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\n\
        [profile outer]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = guarded\n";

    #[tokio::test]
    async fn mfa_is_named_wherever_it_is_in_the_chain() {
        assert!(check_config(CONFIG, Some("base")).await.is_ok());
        let error = check_config(CONFIG, Some("outer")).await.unwrap_err();
        assert!(error.message().contains("'guarded' wants a one-time password"), "{error}");
        assert!(error.help().unwrap().contains("export-credentials"));
    }

    #[tokio::test]
    async fn an_unknown_profile_is_an_error_that_lists_the_known() {
        let error = check_config(CONFIG, Some("prod")).await.unwrap_err();
        assert_eq!(error.message(), "there is no AWS profile 'prod'");
        assert!(error.help().unwrap().contains("base, guarded, outer"));
        assert!(check_config(CONFIG, None).await.is_ok());
    }
}
