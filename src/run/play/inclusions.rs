//! The includes of a step: each is loaded once for all hosts with the same include and put before each of them.

use std::cell::RefCell;
use std::sync::Arc;

use indexmap::IndexMap;
use playbook_api::{Error, ErrorKind, Map, map, sync};

use super::batch::{Batch, PendingInclude, Running, cursor_of};
use super::include;
use crate::playbook::{Item, Task};
use crate::report::{Event, Status};
use crate::run::call::effect::{Included, Inclusion};
use crate::run::call::{describe, result};
use crate::vars::HostScope;

impl Batch<'_> {
    pub(super) fn ask_inclusion(&mut self, inclusion: Inclusion, task: &Arc<Task>, hosts: &[Arc<str>]) {
        // A host may include the same twice, since a loop may have the same item again.
        let same = |asked: &&mut PendingInclude| {
            asked.task.id == task.id
                && include::same(&asked.inclusion, &inclusion)
                && !hosts.iter().any(|host| asked.hosts.contains(host))
        };
        match self.inclusions.iter_mut().find(same) {
            Some(asked) => asked.hosts.extend(hosts.iter().cloned()),
            None => {
                self.inclusions.push(PendingInclude { inclusion, task: task.clone(), hosts: hosts.to_vec() })
            }
        }
    }

    /// Loads the includes of this step and puts their tasks before each host.
    pub(super) fn load_inclusions(&mut self) -> Result<(), Error> {
        let inclusions = std::mem::take(&mut self.inclusions);
        let mut for_host: IndexMap<Arc<str>, Vec<Item>> = IndexMap::new();
        let mut added = Vec::new();
        let mut failed: IndexMap<Arc<str>, (Running, Map)> = IndexMap::new();
        for PendingInclude { inclusion, task, hosts } in inclusions {
            let in_handlers = self.handlers.all().iter().any(|h| h.id == task.id);
            let warnings = RefCell::default();
            let warn = |warning| RefCell::<Vec<Error>>::borrow_mut(&warnings).push(warning);
            let loaded = include::load(&self.play, &inclusion, &task, &hosts, in_handlers, &warn);
            for warning in warnings.take() {
                self.run.emit(Event::warning(&warning));
            }
            match loaded {
                Ok(loaded) => {
                    let included = &self.play.base.play.included_roles;
                    sync::write(included).extend(loaded.roles);
                    if let Some(role) = loaded.role {
                        let dynamic = &mut *sync::write(&self.play.base.play.dynamic_roles);
                        if !dynamic.iter().any(|known| known.full_name == role.full_name) {
                            dynamic.push(role);
                        }
                    }
                    self.run.emit(Event::Included {
                        file: loaded.name,
                        hosts: hosts.clone(),
                        item: inclusion.item.clone(),
                    });
                    self.handlers.extend(loaded.handlers);
                    for host in &hosts {
                        self.run.stats.ok(host, false);
                    }
                    let items = self.run.selected(&self.play, loaded.items)?;
                    added.extend(items.iter().cloned());
                    for host in hosts {
                        for_host.entry(host).or_default().extend(items.iter().cloned());
                    }
                }
                // A malformed document cannot be rescued.
                Err(e) if e.kind() == ErrorKind::Syntax || !inclusion.is_rescuable() => return Err(e),
                // An include that cannot be loaded has failed, even if that is ignored or rescued.
                Err(e) => {
                    let e = match (e.kind(), e.message().lines().last()) {
                        (ErrorKind::NotFound, Some(line)) => {
                            let of_task = matches!(inclusion.what, Included::Tasks { .. });
                            let missing = self.run.shared.settings.core.missing_file().filter(|_| of_task);
                            let (line, place) = (line.to_owned(), e.place().cloned());
                            let e = match missing {
                                // The whole error is on this line.
                                Some(before) => {
                                    let path = line.split('\'').nth(1).unwrap_or_default();
                                    let line = line.trim_end_matches('.');
                                    let cause = format!("[Errno 2] No such file or directory: '{path}'");
                                    Error::new(format!("{before}{line}: {cause}")).with_kind(e.kind())
                                }
                                None => e.context(line),
                            };
                            e.at_opt(place.as_ref())
                        }
                        _ => e,
                    };
                    let of_result = self.run.shared.settings.core.failed_includes_have_a_message();
                    if !of_result {
                        self.run.emit(Event::Error(e.clone()));
                    }
                    for host in &hosts {
                        let scope = HostScope::new(&self.play.base, host, Some(&task), Default::default());
                        let info = Arc::new(describe::task(&self.play, &task, false, &scope).0);
                        let mut result = result::blank(&info, &scope, Status::Failed);
                        let said = if of_result { "msg" } else { "reason" };
                        result.values = map! { "changed" => false, "failed" => true, said => e.to_string() };
                        if let Included::Tasks { file, .. } = &inclusion.what
                            && !of_result
                        {
                            result.values.insert("include".into(), file.as_str().into());
                        }
                        let values = result.values.clone();
                        result.error = of_result.then(|| e.clone());
                        self.run.emit(Event::HostResult(result));
                        self.run.stats.failed(host);
                        let once = self.runs_once(&task, &scope)?;
                        let running = Running { task: task.clone(), info, scope, once, alone: once };
                        failed.entry(host.clone()).or_insert((running, values));
                    }
                }
            }
        }
        for (host, (running, values)) in failed {
            self.step.failed.insert(host.clone());
            self.out.insert(host.clone());
            self.fail(&host, &running.task, values);
            self.spread(&running);
        }
        self.order.splice(&added);
        for (host, items) in for_host {
            // Another item of the loop failed, and nothing rescues the host.
            if !cursor_of(&mut self.cursors, &host).has_ended() {
                cursor_of(&mut self.cursors, &host).insert(items);
            }
        }
        Ok(())
    }
}
