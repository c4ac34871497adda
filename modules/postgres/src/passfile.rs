//! libpq's password file on the task's host: ~/.pgpass, or the one that PGPASSFILE names.

use std::path::PathBuf;

use playbook_api::{Context, Error};

use crate::host::{self, Environment};
use crate::url::Url;

/// Returns the password in the file for the first host of a URL. A file that is missing or cannot be read is ignored.
pub(crate) async fn password(
    url: &Url,
    environment: &Environment,
    context: &Context,
) -> Result<Option<String>, Error> {
    let home = || environment.get("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let named = url.param("passfile").map(|path| environment.expand(path));
    let Some(path) = named.or_else(|| environment.get("PGPASSFILE").map(PathBuf::from)).or_else(home) else {
        return Ok(None);
    };
    if !host::exists(&path, context).await? {
        return Ok(None);
    }
    let Ok(content) = host::read(&path, context).await else { return Ok(None) };
    let Some((host, port)) = url.hosts.first() else { return Ok(None) };
    // libpq looks up a default socket directory as localhost.
    let host = if host == "/var/run/postgresql" || host == "/tmp" { "localhost" } else { host };
    let port = port.unwrap_or(5432).to_string();
    let wanted =
        [host, &port, url.dbname.as_deref().unwrap_or_default(), url.user.as_deref().unwrap_or_default()];
    Ok(find(&String::from_utf8_lossy(&content), wanted))
}

/// Returns the password of the first line that matches: `host:port:database:user:password`, where `*` matches
/// everything and a backslash escapes a colon or a backslash.
fn find(content: &str, wanted: [&str; 4]) -> Option<String> {
    content.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [given @ .., password] = fields.as_slice() else { return None };
        let fits = given.len() == wanted.len() && given.iter().zip(wanted).all(|(g, w)| g == "*" || g == w);
        fits.then(|| password.clone())
    })
}

/// The five fields of a line; the last one may hold colons.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let full = fields.len() == 5;
        match (c, fields.last_mut()) {
            (':', _) if !full => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(characters.next()),
            (c, Some(field)) => field.push(c),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let content =
            "# a comment\nother:5432:*:*:no\nbad line\ndb:5432:shop:app:pa\\:ss\\\\:word\n*:*:*:*:any\n";
        assert_eq!(find(content, ["db", "5432", "shop", "app"]).as_deref(), Some("pa:ss\\:word"));
        assert_eq!(find(content, ["db", "5433", "shop", "app"]).as_deref(), Some("any"));
        assert_eq!(find("db:1:a:b:c\n", ["db", "5432", "shop", "app"]), None);
    }
}
