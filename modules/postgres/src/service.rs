//! Connection services: named sets of parameters in libpq's `pg_service.conf`.

use std::path::{Path, PathBuf};

use playbook_api::{Context, Error};

use crate::host::{self, Environment};
use crate::url::Url;

/// The parameters of one service.
#[derive(Debug)]
pub(crate) struct Service {
    file: PathBuf,
    params: Vec<(String, String)>,
}

impl Service {
    /// Finds a service in the given file, the one that PGSERVICEFILE names or `~/.pg_service.conf`, then in the
    /// system-wide file.
    pub(crate) async fn find(
        name: &str,
        file: Option<&str>,
        environment: &Environment,
        context: &Context,
    ) -> Result<Service, Error> {
        let home = || environment.get("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf"));
        let own = file.map(|file| environment.expand(file));
        let own = own.or_else(|| environment.get("PGSERVICEFILE").map(PathBuf::from)).or_else(home);
        let system = environment.get("PGSYSCONFDIR").map(PathBuf::from);
        let system = system.unwrap_or_else(|| "/etc/postgresql-common".into()).join("pg_service.conf");
        let mut looked = Vec::new();
        for file in own.into_iter().chain([system]) {
            looked.push(file.display().to_string());
            if !host::exists(&file, context).await? {
                continue;
            }
            let text = host::read(&file, context)
                .await
                .map_err(|e| Error::new(format!("cannot read {}: {e}", file.display())))?;
            if let Some(params) = section(&String::from_utf8_lossy(&text), name, &file)? {
                return Ok(Service { file, params });
            }
        }
        Err(Error::new(format!("the service '{name}' is not defined"))
            .with_help(format!("Define it as [{name}] in {}.", looked.join(" or "))))
    }

    /// Adds the service's parameters to a URL, except those that the URL has already.
    pub(crate) fn complete(self, url: &mut Url) -> Result<(), Error> {
        url.params.retain(|(name, _)| !matches!(name.as_str(), "service" | "servicefile"));
        let mut service = Url::default();
        let file = self.file.display().to_string();
        service.set_all(self.params).map_err(|e| e.context(file))?;
        if url.hosts.is_empty() {
            url.hosts = service.hosts;
        } else if let [(_, port)] = service.hosts.as_slice() {
            let port = *port;
            url.hosts.iter_mut().for_each(|(_, own)| *own = own.or(port));
        }
        url.port = url.port.or(service.port);
        url.user = url.user.take().or(service.user);
        url.password = url.password.take().or(service.password);
        url.dbname = url.dbname.take().or(service.dbname);
        for (name, value) in service.params {
            if url.param(&name).is_none() {
                url.set_param(&name, value);
            }
        }
        Ok(())
    }
}

/// Returns the parameters under `[name]`, or `None` if the file has no such section.
fn section(text: &str, name: &str, file: &Path) -> Result<Option<Vec<(String, String)>>, Error> {
    let mut found: Option<Vec<(String, String)>> = None;
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            found = (section == name).then(Vec::new);
            continue;
        }
        let Some(params) = &mut found else { continue };
        let wrong = |what: &str| Error::new(format!("{}:{}: {what}", file.display(), i + 1));
        let (key, value) =
            line.split_once('=').ok_or_else(|| wrong("the line is not of the form NAME=VALUE"))?;
        if key.trim() == "service" {
            return Err(wrong("a service cannot refer to another service"));
        }
        params.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_completes_a_url() {
        let directory = tempfile::TempDir::new().unwrap();
        let file = directory.path().join("services");
        std::fs::write(
            &file,
            "# x\n[other]\nhost=o\n\n[shop]\nhost=db1,db2\nport=5433\ndbname=shop\n\
            user=app\nsslmode=require\n[z]\nhost=z\n",
        )
        .unwrap();
        let name = file.display().to_string();
        let (context, environment) = (Context::default(), Environment::default());
        let mut url = Url::parse("postgresql:///?service=shop&user=me").unwrap();
        Service::find("shop", Some(&name), &environment, &context).await.unwrap().complete(&mut url).unwrap();
        assert_eq!(url.hosts, [("db1".to_owned(), Some(5433)), ("db2".to_owned(), Some(5433))]);
        assert_eq!(
            (url.user.as_deref(), url.dbname.as_deref(), url.param("sslmode")),
            (Some("me"), Some("shop"), Some("require"))
        );
        let error = Service::find("shp", Some(&name), &environment, &context).await.unwrap_err();
        assert_eq!(error.to_string(), "the service 'shp' is not defined");
        std::fs::write(&file, "[shop]\nhost\n").unwrap();
        let error = Service::find("shop", Some(&name), &environment, &context).await.unwrap_err().to_string();
        assert!(error.ends_with(":2: the line is not of the form NAME=VALUE"), "{error}");
    }
}
