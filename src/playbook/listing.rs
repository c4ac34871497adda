//! What `--list-hosts`, `--list-tasks` and `--list-tags` print.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use playbook_api::{Error, Value};

use super::frame::{Frame, FrameKind};
use super::tags::selected;
use super::{Item, Play, Playbook, Task};
use crate::document::Node;

/// What is listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listed {
    pub hosts: bool,
    pub tasks: bool,
    pub tags: bool,
}

/// The hosts of patterns.
pub type Select<'a> = dyn Fn(&[String]) -> Result<Vec<Arc<str>>, Error> + 'a;

/// What a listing asks of the world.
pub struct Lister<'a> {
    pub listed: Listed,
    pub tags: &'a [String],
    pub skip_tags: &'a [String],
    /// Renders a value with a play's variables.
    pub render: &'a dyn Fn(&Play, &Node) -> Result<Value, Error>,
    /// The hosts that a play's patterns select.
    pub hosts: &'a Select<'a>,
}

impl Lister<'_> {
    /// The listing of a playbook, named as it was given.
    pub fn list(&self, name: &str, playbook: &Playbook) -> Result<String, Error> {
        let mut out = format!("\nplaybook: {name}\n");
        for (index, play) in playbook.plays.iter().enumerate() {
            self.play(index + 1, play, &mut out)?;
        }
        Ok(out)
    }

    fn play(&self, number: usize, play: &Play, out: &mut String) -> Result<(), Error> {
        let patterns = texts(&(self.render)(play, &play.hosts).map_err(|e| play.refused("hosts", e))?);
        let title = match play.frame.keywords.name.as_ref() {
            Some(name) => {
                (self.render)(play, name).map_err(|e| play.refused("name", e))?.to_text().into_owned()
            }
            None => patterns.join(","),
        };
        // A play's tags are listed as they are written.
        let own: BTreeSet<String> =
            play.frame.keywords.tags.iter().flat_map(|tag| texts(&tag.raw())).collect();
        let own_text: Vec<&str> = own.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "\n  play #{number} ({}): {title}\tTAGS: [{}]",
            patterns.join(","),
            own_text.join(",")
        );
        // Asked in any case, for the warnings about patterns without hosts.
        let hosts = (self.hosts)(&patterns)?;
        if self.listed.hosts {
            let shown: Value = patterns.iter().map(|p| Value::from(p.as_str())).collect();
            let _ = writeln!(out, "    pattern: {shown}\n    hosts ({}):", hosts.len());
            for host in hosts {
                let _ = writeln!(out, "      {host}");
            }
        }
        if !self.listed.tasks && !self.listed.tags {
            return Ok(());
        }
        if self.listed.tasks {
            out.push_str("    tasks:\n");
        }
        let mut all = own.clone();
        let roles = play.roles.iter().map(|(_, items)| items);
        for items in std::iter::once(&play.pre_tasks).chain(roles).chain([&play.tasks, &play.post_tasks]) {
            self.items(play, items, &own, &mut all, out)?;
        }
        if self.listed.tags {
            let all: Vec<String> = all.into_iter().collect();
            let _ = writeln!(out, "      TASK TAGS: [{}]", all.join(", "));
        }
        Ok(())
    }

    fn items(
        &self,
        play: &Play,
        items: &[Item],
        of_play: &BTreeSet<String>,
        all: &mut BTreeSet<String>,
        out: &mut String,
    ) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Block(block) => self.items(play, &block.block, of_play, all, out)?,
                Item::Task(task) if task.implicit => {}
                Item::Task(task) => {
                    let is_play = |frame: &&Arc<Frame>| matches!(frame.kind, FrameKind::Play);
                    let around = task.frame.chain();
                    let frames =
                        around.filter(|frame| !is_play(frame)).flat_map(|frame| &frame.keywords.tags);
                    let mut tags = self.tags_of(play, frames.chain(&task.keywords.tags))?;
                    let rendered = self.tags_of(play, &play.frame.keywords.tags)?;
                    let known: Vec<&String> = tags.union(&rendered).collect();
                    if !selected(&known, self.tags, self.skip_tags) {
                        continue;
                    }
                    tags.extend(rendered);
                    tags.extend(of_play.iter().cloned());
                    if self.listed.tasks {
                        let listed: Vec<&str> = tags.iter().map(String::as_str).collect();
                        let _ = writeln!(out, "      {}\tTAGS: [{}]", name(task), listed.join(", "));
                    }
                    all.extend(tags);
                }
            }
        }
        Ok(())
    }

    fn tags_of<'n>(
        &self,
        play: &Play,
        nodes: impl IntoIterator<Item = &'n Node>,
    ) -> Result<BTreeSet<String>, Error> {
        let mut tags = BTreeSet::new();
        for node in nodes {
            let value = match (self.render)(play, node) {
                Err(e) if e.is_undefined() => node.raw(),
                value => value?,
            };
            tags.extend(texts(&value));
        }
        Ok(tags)
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value.as_list() {
        Some(items) => items.iter().map(|item| item.to_text().into_owned()).collect(),
        None => vec![value.to_text().into_owned()],
    }
}

/// The name as it was written.
fn name(task: &Task) -> String {
    let own = task.keywords.name.as_ref().and_then(Node::source).filter(|name| !name.is_empty());
    let role = task.frame.role().filter(|_| task.action_name() != "include_role");
    match (own, role) {
        (Some(name), Some(role)) => format!("{} : {name}", role.full_name),
        (Some(name), None) => name.to_owned(),
        (None, _) => task.action.name.to_string(),
    }
}
