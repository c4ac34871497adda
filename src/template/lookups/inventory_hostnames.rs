//! `inventory_hostnames`: the hosts of a pattern.

use playbook_api::{Error, Map, Value};

use super::Lookup;
use crate::template::Renderer;
use crate::template::regex::{Flags, compile, escaped};

pub(super) const LOOKUPS: &[Lookup] = &[Lookup::new("inventory_hostnames", inventory_hostnames)];

/// Converts a shell pattern, or a regular expression after `~`, to a regular expression.
fn matcher(pattern: &str) -> String {
    match pattern.strip_prefix('~') {
        Some(regex) => format!("^(?:{regex})"),
        None => {
            let glob = escaped(pattern).replace("\\*", ".*").replace("\\?", ".");
            format!("^{}$", glob.replace("\\[", "[").replace("\\]", "]"))
        }
    }
}

fn hosts_of(pattern: &str, groups: &Map) -> Result<Vec<Value>, Error> {
    let pattern = compile(&matcher(pattern), Flags::default())?;
    let mut found: Vec<Value> = Vec::new();
    let mut add = |host: &Value| {
        if !found.contains(host) {
            found.push(host.clone());
        }
    };
    let is_match = |name: &Value| pattern.search(&name.to_text(), 0).map(|found| found.is_some());
    for (group, hosts) in groups {
        let whole = is_match(group)?;
        for host in hosts.as_list().unwrap_or_default() {
            if whole || is_match(host)? {
                add(host);
            }
        }
    }
    Ok(found)
}

fn inventory_hostnames(terms: &[Value], _: &Map, renderer: &Renderer) -> Result<Vec<Value>, Error> {
    let groups = renderer.scope.get("groups").transpose()?.unwrap_or_default();
    let Some(groups) = groups.as_map() else {
        return Err(Error::new("inventory_hostnames needs the variable 'groups'"));
    };
    let text: Vec<String> = terms.iter().map(|term| term.to_text().into_owned()).collect();
    let text = text.join(",");
    let parts: Vec<&str> =
        text.split([',', ':', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    // As in a play's `hosts`, first unions, then intersections, then exclusions.
    let rank = |part: &&&str| match part.as_bytes().first() {
        Some(b'&') => 1,
        Some(b'!') => 2,
        _ => 0,
    };
    let mut ordered: Vec<&&str> = parts.iter().collect();
    ordered.sort_by_key(rank);
    let mut hosts: Vec<Value> = Vec::new();
    if ordered.first().is_some_and(|first| rank(first) != 0) {
        hosts = hosts_of("all", groups)?;
    }
    for part in ordered {
        if let Some(pattern) = part.strip_prefix('&') {
            let kept = hosts_of(pattern, groups)?;
            hosts.retain(|host| kept.contains(host));
        } else if let Some(pattern) = part.strip_prefix('!') {
            let removed = hosts_of(pattern, groups)?;
            hosts.retain(|host| !removed.contains(host));
        } else {
            for host in hosts_of(part, groups)? {
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
        }
    }
    Ok(hosts)
}
