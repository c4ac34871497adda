//! Template inheritance: `block`, `extends`, `super()` and `self`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use playbook_api::{Error, Value, sync};

use super::output::concat;
use super::{Evaluator, Frame, Unit};
use crate::jinja::program::{Block, Body, Position};
use crate::jinja::{Program, Template};

/// The blocks of a chain of templates; for each name, that of the child is first.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<HashMap<Arc<str>, Vec<Definition>>>);

type Definition = (Arc<Block>, Arc<Unit>);

impl Blocks {
    fn get(&self, name: &str, index: usize) -> Option<Definition> {
        sync::lock(&self.0).get(name)?.get(index).cloned()
    }
}

impl<'p> Evaluator<'p> {
    /// Adds a template's blocks to the chain.
    pub(super) fn define_blocks(&mut self, program: &Program) {
        if program.blocks.is_empty() {
            return;
        }
        let unit = self.unit.clone();
        let blocks = self.blocks.get_or_insert_default();
        let mut all = sync::lock(&blocks.0);
        for (name, block) in &program.blocks {
            all.entry(name.clone()).or_default().push((block.clone(), unit.clone()));
        }
    }

    /// Renders a block in its place. In a template that extends another one, it only defines the block.
    pub(super) fn place_block(
        &mut self,
        block: &Block,
        position: Position,
        out: &mut Vec<Value>,
    ) -> Result<(), Error> {
        if self.parent.is_some() {
            return Ok(());
        }
        match self.render_block(&block.name, 0, out)? {
            true => Ok(()),
            false => self.raise(format!("Required block '{}' not found", block.name), position),
        }
    }

    /// Renders the block at an index of its chain. Returns false if there is only a required one.
    fn render_block(&mut self, name: &Arc<str>, index: usize, out: &mut Vec<Value>) -> Result<bool, Error> {
        let Some((block, unit)) = self.blocks.as_ref().and_then(|blocks| blocks.get(name, index)) else {
            return Ok(false);
        };
        if block.required {
            return Ok(false);
        }
        let mut inner = Evaluator::new(unit, Some(Frame::new(self.frame.clone())));
        inner.blocks = self.blocks.clone();
        inner.block = Some((name.clone(), index));
        super::guarded(|| inner.exec(&block.body, out))?;
        self.unknown = self.unknown.take().or(inner.unknown);
        Ok(true)
    }

    /// Evaluates `super()`: renders the same block of the parent template.
    pub(super) fn super_block(&mut self) -> Result<Value, Error> {
        let Some((name, index)) = self.block.clone() else {
            return Ok(Value::undefined("'super' is undefined"));
        };
        let mut out = Vec::new();
        match self.render_block(&name, index + 1, &mut out)? {
            true => concat(out),
            false => Ok(Value::undefined(format!("there is no parent block called '{name}'."))),
        }
    }

    /// Evaluates `self.name()`: renders a block again.
    pub(super) fn own_block(&mut self, name: &Arc<str>) -> Result<Value, Error> {
        let mut out = Vec::new();
        match self.render_block(name, 0, &mut out)? {
            true => concat(out),
            false => {
                Ok(Value::undefined(format!("object of type 'TemplateReference' has no attribute '{name}'")))
            }
        }
    }

    /// Renders the parent with this template's names and blocks.
    pub(super) fn extend(&mut self, parent: &Template, out: &mut Vec<Value>) -> Result<(), Error> {
        let program = parent.program()?;
        let Body::Template(statements) = &program.body else {
            return Ok(());
        };
        let unit = Arc::new(self.unit.of(parent, &self.unit.renderer));
        let mut evaluator = Evaluator::new(unit, self.frame.clone());
        evaluator.blocks = self.blocks.clone();
        super::guarded(|| evaluator.template(program, statements, out))?;
        self.unknown = self.unknown.take().or(evaluator.unknown);
        Ok(())
    }
}
