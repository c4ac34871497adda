//! Names and dates as AWS, boto3 and Ansible write them.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value as Json;

/// Converts `task_definition` to `taskDefinition`, and leaves `taskDefinition` as it is.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// Converts `DBInstanceIdentifier` to `db_instance_identifier`, as amazon.aws does.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('_');
    let mut out = String::with_capacity(name.len() + 8);
    for (i, c) in chars.iter().enumerate() {
        if c.is_uppercase() && i > 0 {
            let before = at(i - 1);
            let word = before.is_lowercase() || before.is_ascii_digit();
            // The last capital of a run begins the next word, unless the run is a plural: `ARNs`.
            let last = before.is_uppercase()
                && at(i + 1).is_lowercase()
                && !(at(i + 1) == 's' && i + 2 == chars.len());
            if (word || last) && before != '_' {
                out.push('_');
            }
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Converts every key of every dictionary to snake_case, except in dictionaries whose keys are chosen by users.
pub(crate) fn snake_keys(json: &Json, own: &[&str]) -> Json {
    match json {
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let value = if own.contains(&key.as_str()) { value.clone() } else { snake_keys(value, own) };
                (snake(key), value)
            })
            .collect(),
        Json::Array(items) => items.iter().map(|item| snake_keys(item, own)).collect(),
        other => other.clone(),
    }
}

/// Formats a date in ISO 8601 as Python does: `2026-02-03T04:05:06.789000+00:00`.
pub(crate) fn date(date: &DateTime) -> String {
    let whole = DateTime::from_secs(date.secs()).fmt(Format::DateTime).unwrap_or_default();
    let whole = whole.trim_end_matches('Z');
    match date.subsec_nanos() / 1000 {
        0 => format!("{whole}+00:00"),
        micros => format!("{whole}.{micros:06}+00:00"),
    }
}

/// Returns the last part of an ARN: `arn:aws:ecs:eu-west-1:1:cluster/prod` → `prod`.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_turned_as_amazon_aws_turns_them() {
        for (api, python) in [
            ("DBInstanceIdentifier", "db_instance_identifier"),
            ("DBInstanceArn", "db_instance_arn"),
            ("VpcSecurityGroupId", "vpc_security_group_id"),
            ("IAMDatabaseAuthenticationEnabled", "iam_database_authentication_enabled"),
            ("MultiAZ", "multi_az"),
            ("CACertificateIdentifier", "ca_certificate_identifier"),
            ("ARN", "arn"),
            ("VersionIdsToStages", "version_ids_to_stages"),
            ("taskDefinitionArn", "task_definition_arn"),
        ] {
            assert_eq!(snake(api), python);
        }
        assert_eq!(camel("target_group_arn"), "targetGroupArn");
        assert_eq!(camel("containerName"), "containerName");
    }

    #[test]
    fn dates_are_pythons() {
        assert_eq!(date(&DateTime::from_secs(0)), "1970-01-01T00:00:00+00:00");
        assert_eq!(date(&DateTime::from_millis(1_500)), "1970-01-01T00:00:01.500000+00:00");
    }
}
