//! Makes the one list that a play's hosts go through: selected by tags, with handlers flushed between sections.

use std::collections::HashMap;
use std::sync::Arc;

use playbook_api::{Error, Place, Value};

use crate::document::Node;
use crate::playbook::{
    Action, Block, Frame, FrameKind, Item, Keyword, Keywords, Meta, Play, Task, TaskId, tags,
};
use crate::run::call::state::PlayState;
use crate::run::{Run, play_renderer};
use crate::template::Renderer;
use crate::vars::HostScope;

/// A task that the engine adds to a play.
fn engine_task(
    action: &str,
    args: Vec<(&str, Node)>,
    place: &Place,
    frame: &Arc<Frame>,
    keywords: Keywords,
) -> Task {
    let args: HashMap<Arc<str>, Node> = args.into_iter().map(|(k, v)| (Arc::from(k), v)).collect();
    let action = Action { name: action.into(), place: place.clone(), args, variable_args: None };
    Task::new(action, keywords, frame.clone())
}

fn meta(what: Meta, place: &Place, frame: &Arc<Frame>) -> Item {
    let args = vec![("_raw_params", Node::value(place.clone(), what.name()))];
    let task = engine_task("meta", args, place, frame, Keywords::default());
    Item::Task(Arc::new(Task { implicit: true, ..task }))
}

/// Returns the task Returns the task "Gathering Facts".
fn gathering(play: &Play, subset: &[String], timeout: u64) -> Item {
    let place = &play.place;
    let mut args = Vec::new();
    match &play.gather_subset {
        Some(node) => args.push(("gather_subset", node.clone())),
        None if !subset.is_empty() => {
            args.push(("gather_subset", Node::value(place.clone(), subset.to_vec())));
        }
        None => {}
    }
    match &play.gather_timeout {
        Some(node) => args.push(("gather_timeout", node.clone())),
        None => args.push(("gather_timeout", Node::value(place.clone(), timeout))),
    }
    if let Some(node) = &play.fact_path {
        args.push(("fact_path", node.clone()));
    }
    let keywords =
        Keywords { name: Some(Node::value(place.clone(), "Gathering Facts")), ..Keywords::default() };
    // Facts are gathered on each host, even if the play has `run_once`.
    let own = Keywords {
        values: [(Keyword::RunOnce, Node::value(place.clone(), false))].into_iter().collect(),
        ..Keywords::default()
    };
    let frame = Arc::new(Frame { kind: FrameKind::Block, keywords: own, parent: Some(play.frame.clone()) });
    let task = engine_task("ansible.builtin.gather_facts", args, place, &frame, keywords);
    Item::Task(Arc::new(task))
}

impl Run {
    /// Returns all items that a play's hosts go through.
    pub fn compile(&self, play: &PlayState, gather: bool) -> Result<Arc<Vec<Item>>, Error> {
        let written = &play.play;
        let flush = || meta(Meta::FlushHandlers, &written.place, &written.frame);
        // Handlers are always flushed, unless the play's own tags are skipped.
        let mut play_tags = frame_tags(&written.frame, &play_renderer(&play.base))?;
        play_tags.push("always".to_owned());
        let flushes = tags::selected(&play_tags, &self.shared.options.tags, &self.shared.options.skip_tags);
        let mut items = Vec::new();
        if gather && flushes {
            items.push(gathering(
                written,
                &self.shared.settings.gather_subset,
                self.shared.settings.gather_timeout,
            ));
        }
        if let Some(task) = &written.validation {
            items.extend(self.selected(play, vec![Item::Task(task.clone())])?);
        }
        // With `force_handlers`, handlers are flushed whatever comes of the section.
        let forced = play.force_handlers && flushes;
        let mut section = |list: Vec<Item>| {
            if forced && !list.is_empty() {
                let block = |block, always| {
                    let (place, frame) = (written.place.clone(), written.frame.clone());
                    Item::Block(Arc::new(Block {
                        id: TaskId::next(),
                        place,
                        frame,
                        block,
                        rescue: Vec::new(),
                        always,
                    }))
                };
                // The tasks have a block of their own, so that a host which failed and waits for its handlers does not miss
                // them when the play fails for all hosts.
                items.push(block(vec![block(list, Vec::new())], vec![flush()]));
                return;
            }
            items.extend(list);
            if flushes {
                items.push(flush());
            }
        };
        section(self.selected(play, written.pre_tasks.clone())?);
        let mut main = Vec::new();
        for (_, tasks) in &written.roles {
            main.extend(self.selected(play, tasks.clone())?);
        }
        main.extend(self.selected(play, written.tasks.clone())?);
        section(main);
        section(self.selected(play, written.post_tasks.clone())?);
        Ok(Arc::new(items))
    }

    /// Returns the items that `--tags` and `--skip-tags` select. A role's block ends with a mark that the host has
    /// completed it.
    pub fn selected(&self, play: &PlayState, items: Vec<Item>) -> Result<Vec<Item>, Error> {
        let scope = HostScope::new(&play.base, &Arc::from(""), None, Default::default());
        self.filter(items, &scope.renderer())
    }

    fn filter(&self, items: Vec<Item>, renderer: &Renderer) -> Result<Vec<Item>, Error> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Task(task) => {
                    if task.implicit || self.is_selected(&task, renderer)? {
                        kept.push(Item::Task(task));
                    }
                }
                Item::Block(block) => {
                    let mut inner = self.filter(block.block.clone(), renderer)?;
                    let rescue = self.filter(block.rescue.clone(), renderer)?;
                    let always = self.filter(block.always.clone(), renderer)?;
                    let is_role = matches!(block.frame.kind, FrameKind::Role(_));
                    if inner.is_empty() && always.is_empty() && !is_role {
                        continue;
                    }
                    if is_role {
                        inner.push(meta(Meta::RoleComplete, &block.place, &block.frame));
                    }
                    let (id, place, frame) = (block.id, block.place.clone(), block.frame.clone());
                    kept.push(Item::Block(Arc::new(Block {
                        id,
                        place,
                        frame,
                        block: inner,
                        rescue,
                        always,
                    })));
                }
            }
        }
        Ok(kept)
    }

    fn is_selected(&self, task: &Task, renderer: &Renderer) -> Result<bool, Error> {
        let (only, skip) = (&self.shared.options.tags, &self.shared.options.skip_tags);
        let all = task_tags(task, renderer)?;
        Ok(tags::selected(&all, only, skip))
    }
}

/// Returns the tags of a task and of all that encloses it.
pub fn task_tags(task: &Task, renderer: &Renderer) -> Result<Vec<String>, Error> {
    let mut all = frame_tags(&task.frame, renderer)?;
    add_tags(&mut all, &task.keywords.tags, renderer)?;
    all.sort();
    all.dedup();
    Ok(all)
}

fn frame_tags(frame: &Arc<Frame>, renderer: &Renderer) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for frame in frame.chain() {
        add_tags(&mut all, &frame.keywords.tags, renderer)?;
    }
    Ok(all)
}

fn add_tags(all: &mut Vec<String>, written: &[Node], renderer: &Renderer) -> Result<(), Error> {
    for node in written {
        let value = renderer.value(node)?;
        let items = match value.as_list() {
            Some(items) => items.to_vec(),
            None => vec![value],
        };
        for item in items.iter().filter(|i| !matches!(i, Value::Null | Value::Omit)) {
            all.extend(tags::split(&item.to_text()).map(str::to_owned));
        }
    }
    Ok(())
}
