//! Names: zones and records of Amazon Route 53.

mod record;
mod zone;

use aws_sdk_route53::types::HostedZone;
use playbook_api::{Error, ModuleEntry, Registry};

use crate::client::Aws;
use crate::error::Explain;

/// Adds the modules of Route 53.
pub(crate) fn register(registry: &mut Registry) {
    registry.add_modules([
        ModuleEntry::controller::<record::Route53>(),
        ModuleEntry::controller::<zone::Route53Zone>(),
    ]);
}

/// Returns a name as Route 53 compares it: in small letters and with a dot at its end.
fn full(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}

/// Returns the ID of a zone without `/hostedzone/`.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Returns the zones of exactly this name.
async fn zones_of(aws: &Aws, name: &str) -> Result<Vec<HostedZone>, Error> {
    let name = full(name);
    let answer = aws.route53().list_hosted_zones_by_name().dns_name(&name).send().await;
    // Zones are sorted by name, beginning with this one; a page has a hundred.
    let found = answer.explain("route53:ListHostedZonesByName")?.hosted_zones;
    Ok(found.into_iter().filter(|zone| full(&zone.name) == name).collect())
}

/// Returns whether a zone is private.
fn is_private(zone: &HostedZone) -> bool {
    zone.config().is_some_and(|config| config.private_zone())
}
