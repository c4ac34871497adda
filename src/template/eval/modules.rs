//! Loads other template files, for `include`, `import` and `extends`.

use std::sync::Arc;

use playbook_api::{Error, ErrorKind, Map, Value, sync};

use super::super::object::{Behavior, Native};
use super::super::python::operators;
use super::super::scope::Empty;
use super::super::{Renderer, loader, undefined};
use super::{Evaluator, Frame, Unit};
use crate::jinja::Template;
use crate::jinja::program::{Body, Expr, Position};

/// An imported template: its macros and top-level names.
#[derive(Debug)]
pub(crate) struct Module {
    names: Map,
    /// The output of the template.
    pub(super) parts: Vec<Value>,
}

impl Behavior for Module {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.names.get(name).cloned()
    }

    fn text(&self) -> Option<String> {
        let mut text = String::new();
        self.parts.iter().try_for_each(|part| super::print(&mut text, part)).ok()?;
        Some(text)
    }
}

impl Unit {
    /// The unit of another file of the same render.
    pub(super) fn of(&self, template: &Template, renderer: &Renderer) -> Unit {
        let files = self.files.clone();
        Unit::new(renderer, template.place(), template.syntax().clone(), false, files)
    }
}

impl<'p> Evaluator<'p> {
    /// Loads the file that an expression names, or the first of several that exists.
    pub(super) fn load(&mut self, name: &'p Expr, position: Position) -> Result<Arc<Template>, Error> {
        let name = self.eval(name)?;
        undefined::check(&name)?;
        let names = match &name {
            Value::Str(_) => vec![name.clone()],
            other => operators::iterate(other).map_err(|e| self.fault(e, position))?.to_vec(),
        };
        for name in &names {
            let path = loader::find(&self.unit.renderer, &name.to_text());
            let Some(path) = path else { continue };
            let mut files = sync::lock(&self.unit.files);
            if let Some(template) = files.get(&path) {
                return Ok(template.clone());
            }
            let template = Arc::new(loader::read(&path, &self.unit.syntax)?);
            files.insert(path, template.clone());
            return Ok(template);
        }
        let name = match names.as_slice() {
            [name] => playbook_api::python::repr(name),
            many => {
                let names: Vec<_> = many.iter().map(Value::to_text).collect();
                format!("none of the templates given ({})", names.join(", "))
            }
        };
        let directories = loader::search_path(&self.unit.renderer);
        let directories: Vec<String> =
            directories.iter().map(|path| format!("'{}'", path.display())).collect();
        let message = format!("{name} not found in search path: {}", directories.join(", "));
        Err(self.fault(Error::new(message).with_kind(ErrorKind::NotFound), position))
    }

    fn renderer_for(&self, context: bool) -> Renderer {
        let mut renderer = self.unit.renderer.clone();
        if !context {
            renderer.scope = Arc::new(Empty);
        }
        renderer
    }

    /// Renders a template file. Its frame has the names that it set.
    fn run(&mut self, template: &Template, context: bool, out: &mut Vec<Value>) -> Result<Arc<Frame>, Error> {
        let program = template.program()?;
        let frame = Frame::new(if context { self.frame.clone() } else { None });
        let Body::Template(statements) = &program.body else {
            return Ok(frame);
        };
        let unit = Arc::new(self.unit.of(template, &self.renderer_for(context)));
        let mut evaluator = Evaluator::new(unit, Some(frame.clone()));
        super::guarded(|| evaluator.template(program, statements, out))?;
        self.unknown = self.unknown.take().or(evaluator.unknown);
        Ok(frame)
    }

    pub(super) fn include(
        &mut self,
        name: &'p Expr,
        ignore_missing: bool,
        context: bool,
        position: Position,
        out: &mut Vec<Value>,
    ) -> Result<(), Error> {
        match self.load(name, position) {
            Ok(template) => self.run(&template, context, out).map(|_| ()),
            Err(error) if ignore_missing && error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn import(
        &mut self,
        name: &'p Expr,
        context: bool,
        position: Position,
    ) -> Result<Value, Error> {
        let template = self.load(name, position)?;
        let mut parts = Vec::new();
        let frame = self.run(&template, context, &mut parts)?;
        Ok(Native::value(Module { names: frame.exported(), parts }))
    }

    /// Returns a name of an imported module, for `from … import`.
    pub(super) fn imported(&self, module: &Value, name: &str, template: &Expr) -> Value {
        let found = super::super::object::attribute_of(module, name);
        found.unwrap_or_else(|| {
            let file = match template {
                Expr::Const(file) => file.to_text().into_owned(),
                _ => "the template".to_owned(),
            };
            Value::undefined(format!("the template '{file}' does not export the requested name '{name}'"))
        })
    }
}
