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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Whether hosts are listed.
    pub hosts: bool,
    /// Whether tasks are listed.
    pub tasks: bool,
    /// Whether tags are listed.
    pub tags: bool,
}

/// A playbook's listing.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The playbook's name as it was given.
    pub playbook: String,
    /// Its plays.
    pub plays: Vec<ListedPlay>,
}

/// A play of a listing.
#[derive(Clone, Debug)]
pub struct ListedPlay {
    /// Its name, or else its patterns.
    pub name: String,
    /// The patterns of its hosts.
    pub patterns: Vec<String>,
    /// Its own tags.
    pub tags: BTreeSet<String>,
    /// The hosts that the patterns select.
    pub hosts: Vec<Arc<str>>,
    /// The tasks that would run, each with its tags; empty unless tasks or tags are listed.
    pub tasks: Vec<(String, BTreeSet<String>)>,
}

impl ListedPlay {
    /// Returns all tags of the play and its tasks.
    pub fn all_tags(&self) -> BTreeSet<&str> {
        self.tags.iter().chain(self.tasks.iter().flat_map(|(_, tags)| tags)).map(String::as_str).collect()
    }
}

impl Listing {
    /// Formats the listing as ansible-playbook prints it.
    pub fn text(&self, listed: Listed) -> String {
        let joined =
            |tags: &mut dyn Iterator<Item = &str>, separator| tags.collect::<Vec<_>>().join(separator);
        let mut out = format!("\nplaybook: {}\n", self.playbook);
        for (index, play) in self.plays.iter().enumerate() {
            let _ = writeln!(
                out,
                "\n  play #{} ({}): {}\tTAGS: [{}]",
                index + 1,
                play.patterns.join(","),
                play.name,
                joined(&mut play.tags.iter().map(String::as_str), ",")
            );
            if listed.hosts {
                let shown: Value = play.patterns.iter().map(|p| Value::from(p.as_str())).collect();
                let _ = writeln!(out, "    pattern: {shown}\n    hosts ({}):", play.hosts.len());
                for host in &play.hosts {
                    let _ = writeln!(out, "      {host}");
                }
            }
            if listed.tasks {
                out.push_str("    tasks:\n");
                for (name, tags) in &play.tasks {
                    let tags = joined(&mut tags.iter().map(String::as_str), ", ");
                    let _ = writeln!(out, "      {name}\tTAGS: [{tags}]");
                }
            }
            if listed.tags {
                let _ =
                    writeln!(out, "      TASK TAGS: [{}]", joined(&mut play.all_tags().into_iter(), ", "));
            }
        }
        out
    }
}

/// Selects the hosts of patterns.
pub type Select<'a> = dyn Fn(&[String]) -> Result<Vec<Arc<str>>, Error> + 'a;

/// What a listing needs from its caller.
pub struct Lister<'a> {
    /// What is listed.
    pub listed: Listed,
    /// The tags of `--tags`.
    pub tags: &'a [String],
    /// The tags of `--skip-tags`.
    pub skip_tags: &'a [String],
    /// Renders a value with a play's variables.
    pub render: &'a dyn Fn(&Play, &Node) -> Result<Value, Error>,
    /// Selects the hosts of a play's patterns.
    pub hosts: &'a Select<'a>,
}

impl Lister<'_> {
    /// Lists a playbook under the name that it was given.
    pub fn list(&self, name: &str, playbook: &Playbook) -> Result<Listing, Error> {
        let plays = playbook.plays.iter().map(|play| self.play(play)).collect::<Result<_, _>>()?;
        Ok(Listing { playbook: name.to_owned(), plays })
    }

    fn play(&self, play: &Play) -> Result<ListedPlay, Error> {
        let patterns = texts(&(self.render)(play, &play.hosts).map_err(|e| play.refused("hosts", e))?);
        let name = match play.frame.keywords.name.as_ref() {
            Some(name) => {
                (self.render)(play, name).map_err(|e| play.refused("name", e))?.to_text().into_owned()
            }
            None => patterns.join(","),
        };
        // A play's tags are listed as they are written.
        let tags: BTreeSet<String> =
            play.frame.keywords.tags.iter().flat_map(|tag| texts(&tag.raw())).collect();
        // The hosts are selected in any case, since patterns without hosts are warned of.
        let hosts = (self.hosts)(&patterns)?;
        let mut tasks = Vec::new();
        if self.listed.tasks || self.listed.tags {
            let roles = play.roles.iter().map(|(_, items)| items);
            let sections =
                std::iter::once(&play.pre_tasks).chain(roles).chain([&play.tasks, &play.post_tasks]);
            for items in sections {
                self.items(play, items, &tags, &mut tasks)?;
            }
        }
        Ok(ListedPlay { name, patterns, tags, hosts, tasks })
    }

    fn items(
        &self,
        play: &Play,
        items: &[Item],
        of_play: &BTreeSet<String>,
        listed: &mut Vec<(String, BTreeSet<String>)>,
    ) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Block(block) => self.items(play, &block.block, of_play, listed)?,
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
                    listed.push((name(task), tags));
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

/// Returns a name as it was written.
fn name(task: &Task) -> String {
    let own = task.keywords.name.as_ref().and_then(Node::source).filter(|name| !name.is_empty());
    let role = task.frame.role().filter(|_| task.action_name() != "include_role");
    match (own, role) {
        (Some(name), Some(role)) => format!("{} : {name}", role.full_name),
        (Some(name), None) => name.to_owned(),
        (None, _) => task.action.name.to_string(),
    }
}
