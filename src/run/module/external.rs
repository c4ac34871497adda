//! Runs modules that are not part of this program: scripts and programs in any language.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playbook_api::context::Source;
use playbook_api::{Arguments, Error, Failure, Map, ModuleEntry, Outcome, Value, map};

use super::on_host;
use crate::foreign::Found;
use crate::foreign::payload::filling;
use crate::foreign::style::Style;
use crate::run::call::files::Content;
use crate::run::call::{ActionCall, keyword};
use crate::template::{Renderer, Scope};
use crate::vars::HostScope;

/// The host module that runs other modules.
pub(crate) const MODULE: &str = "playbook.internal._foreign";

/// A module that is prepared to be run where a task acts.
pub(crate) struct Prepared {
    /// The host module that runs it, and the arguments of that.
    pub entry: Arc<ModuleEntry>,
    pub args: Arguments,
    warnings: Vec<String>,
    discovered: Discovered,
    verbose: bool,
    /// The content that the host may still have from an earlier call.
    source: Option<Arc<dyn Source>>,
}

/// Runs a module of the file at this path with these arguments.
pub(crate) fn call(
    call: &ActionCall,
    found: &Found,
    path: &Path,
    args: &Arguments,
) -> Result<Outcome, Failure> {
    let prepared = prepare(call, found, path, args, false)?;
    let done = on_host::run_with(call, &prepared.entry, prepared.args.clone(), prepared.source.clone());
    prepared.finish(done)
}

/// Prepares a module and its arguments for the host module that runs it; if `whole`, without a file to ask for.
pub(crate) fn prepare(
    call: &ActionCall,
    found: &Found,
    path: &Path,
    args: &Arguments,
    whole: bool,
) -> Result<Prepared, Failure> {
    let shared = &call.item.play.shared;
    let payload = shared.foreign.payload(found, path)?;
    let arguments = with_internal(call, found, &args.values)?.to_json();
    let (words, discovered) = match &payload.shebang {
        _ if payload.style == Style::Binary => (Vec::new(), None),
        Some((program, more)) => interpreter(call, program, more)?,
        None if payload.style == Style::Python => interpreter(call, "/usr/bin/python", &[])?,
        None => {
            return Err(Failure::new(format!("module ({}) is missing interpreter line", found.name))
                .with_help(format!("begin {} with a line such as #!/bin/sh", path.display())));
        }
    };
    let first = words.join(" ");
    let content = || payload.content(&arguments, Some(first.as_str()).filter(|f| !f.is_empty()));
    let mut source: Option<Arc<dyn Source>> = None;
    let encode = |bytes: &[u8]| Value::from(STANDARD.encode(bytes));
    let file = format!("AnsiballZ_{}", payload.file);
    let mut argv = words;
    let mut values =
        map! { "keep_files" => shared.settings.keep_remote_files, "interpreter" => first.as_str() };
    match (payload.style, &payload.gap) {
        // The module is read from standard input and needs no file.
        (Style::Python, Some((gap, sum))) if !whole => {
            let gap = map! { "at" => *gap, "sum" => sum.as_str(), "filling" => filling(&arguments) };
            values.insert("gap".into(), gap.into());
            source = Some(Arc::new(Content::Bytes(payload.around().to_vec())));
        }
        (Style::Python, _) => {
            values.insert("stdin".into(), encode(&content()));
        }
        (style, _) => {
            let mut files = map! { file.as_str() => encode(&content()) };
            argv.push(format!("{{directory}}/{file}"));
            let arguments = match style {
                Style::Old => Some(words_of(&arguments)),
                Style::WantJson | Style::Binary => Some(arguments.to_string()),
                _ => None,
            };
            if let Some(arguments) = arguments {
                files.insert("args".into(), encode(arguments.as_bytes()));
                argv.push("{directory}/args".into());
            }
            values.insert("files".into(), files.into());
        }
    }
    values.insert("argv".into(), argv.into());
    let entry = shared.registry.module(MODULE).cloned().ok_or_else(|| Error::new("no module runs others"))?;
    let warnings = found.warnings.clone();
    let verbose = shared.shows_invocations();
    Ok(Prepared { entry, args: Arguments { values, ..args.clone() }, warnings, discovered, verbose, source })
}

impl Prepared {
    /// Adds warnings and discovered facts to what the module returned.
    pub(crate) fn finish(&self, mut done: Result<Outcome, Failure>) -> Result<Outcome, Failure> {
        let outcome = match &mut done {
            Ok(outcome) => outcome,
            Err(failure) => &mut failure.outcome,
        };
        outcome.warnings.splice(0..0, self.warnings.iter().cloned());
        if let Some(Value::Map(facts)) = outcome.values.get("ansible_facts") {
            let allowed = |name: &Value| !name.as_str().is_some_and(is_reserved_fact);
            let facts: Map =
                facts.iter().filter(|(k, _)| allowed(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
            outcome.values.insert("ansible_facts".into(), facts.into());
        }
        if let Some((fact, warning)) = &self.discovered {
            let mut facts: Map = match outcome.values.get("ansible_facts") {
                Some(Value::Map(facts)) => (**facts).clone(),
                _ => Map::default(),
            };
            facts.insert("discovered_interpreter_python".into(), fact.as_str().into());
            outcome.values.insert("ansible_facts".into(), facts.into());
            outcome.warnings.extend(warning.clone());
        }
        if !self.verbose {
            outcome.values.shift_remove("invocation");
        }
        done
    }
}

/// Whether a module may not return this fact, since it decides how the host is reached or what runs modules on it.
fn is_reserved_fact(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "ansible_connection",
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_password",
        "ansible_private_key_file",
        "ansible_pipelining",
        "ansible_timeout",
        "ansible_shell_type",
        "ansible_shell_executable",
        "ansible_become",
        "ansible_rsync_path",
        "ansible_loop_var",
        "ansible_executable",
    ];
    NAMES.contains(&name)
        || ["ansible_ssh_", "ansible_become_", "discovered_interpreter_", "ansible_discovered_interpreter_"]
            .iter()
            .any(|start| name.starts_with(start))
        || (name.starts_with("ansible_") && name.ends_with("_interpreter"))
}

/// Formats the arguments as `name=value` words.
fn words_of(arguments: &serde_json::Value) -> String {
    let quote = |text: &str| shlex::try_quote(text).map(|t| t.into_owned()).unwrap_or_default();
    let entries = arguments.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| {
            let text = Value::from_json(value.clone()).to_text().into_owned();
            format!("{name}={} ", if text.is_empty() { "''".to_owned() } else { quote(&text) })
        })
        .collect()
}

/// Returns the task's arguments with the internal ones that every module gets.
fn with_internal(call: &ActionCall, found: &Found, values: &Map) -> Result<Value, Error> {
    let shared = &call.item.play.shared;
    let settings = &shared.settings;
    let no_log = keyword::of(call.item.task, &call.renderer()).no_log()?.unwrap_or(false);
    let scope = scope_of(call);
    let facility = variable(&scope, "ansible_syslog_facility")?;
    let log_info = settings.target_log_info.clone();
    let remote_tmp = settings.remote_tmp.to_string_lossy().into_owned();
    let special = settings.special_context_filesystems.clone();
    let mut all = values.clone();
    all.extend(map! {
        "_ansible_check_mode" => call.check,
        "_ansible_no_log" => no_log || settings.no_target_syslog,
        "_ansible_debug" => settings.debug,
        "_ansible_diff" => call.diff,
        "_ansible_verbosity" => i64::from(shared.options.verbosity),
        "_ansible_version" => settings.core.version().0,
        "_ansible_module_name" => found.name.as_str(),
        "_ansible_syslog_facility" => facility.unwrap_or_else(|| "LOG_USER".into()),
        "_ansible_selinux_special_fs" => special,
        "_ansible_socket" => Value::Null,
        "_ansible_shell_executable" => settings.executable.as_str(),
        "_ansible_keep_remote_files" => settings.keep_remote_files,
        "_ansible_tmpdir" => Value::Null,
        "_ansible_remote_tmp" => remote_tmp,
        "_ansible_ignore_unknown_opts" => false,
        "_ansible_target_log_info" => log_info,
        "_ansible_tracebacks_for" => Vec::<Value>::new(),
    });
    Ok(all.into())
}

/// Returns the scope of the host that the task acts on.
fn scope_of(call: &ActionCall) -> Arc<HostScope> {
    call.scope.of_target().clone()
}

fn variable(scope: &Arc<HostScope>, name: &str) -> Result<Option<Value>, Error> {
    let Some(value) = scope.get(name).transpose()? else { return Ok(None) };
    Ok(Some(Renderer::finalize(value)?).filter(|v| !matches!(v, Value::Null | Value::Omit)))
}

/// The interpreter that was discovered, and the warning about it.
type Discovered = Option<(String, Option<String>)>;

/// Returns the program that runs a module, with its arguments; for `python` that of the host.
fn interpreter(
    call: &ActionCall,
    program: &str,
    more: &[String],
) -> Result<(Vec<String>, Discovered), Failure> {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let scope = scope_of(call);
    let named = variable(&scope, &format!("ansible_{name}_interpreter"))?;
    let named = named.map(|value| value.to_text().trim().to_owned()).filter(|text| !text.is_empty());
    let with = |text: &str| -> Vec<String> {
        let mut words = shlex::split(text).unwrap_or_else(|| vec![text.to_owned()]);
        words.extend(more.iter().cloned());
        words
    };
    if name != "python" {
        return Ok((with(named.as_deref().unwrap_or(program)), None));
    }
    let shared = &call.item.play.shared;
    let inventory = scope.base.inventory();
    let host = call.target();
    let implicit = inventory.host(host).is_some_and(|host| host.implicit);
    if implicit && let Ok(python) = shared.foreign.python() {
        // The implicit localhost uses the Python that runs plugins.
        return Ok((with(&python.executable.to_string_lossy()), None));
    }
    let wanted = named.unwrap_or_else(|| shared.settings.interpreter_python.clone());
    if !matches!(&*wanted, "" | "auto" | "auto_legacy" | "auto_silent" | "auto_legacy_silent") {
        return Ok((with(&wanted), None));
    }
    let known = variable(&scope, "ansible_facts")?;
    if let Some(found) = known.as_ref().and_then(|facts| facts.get("discovered_interpreter_python")) {
        return Ok((with(&found.to_text()), None));
    }
    let (found, warning) = discover(call, wanted.ends_with("_silent"))?;
    Ok((with(&found), Some((found, warning))))
}

/// Discovers a Python interpreter on the host.
fn discover(call: &ActionCall, silent: bool) -> Result<(String, Option<String>), Failure> {
    let shared = &call.item.play.shared;
    let scope = scope_of(call);
    let list: Vec<String> = match variable(&scope, "ansible_interpreter_python_fallback")? {
        Some(Value::List(items)) => items.iter().map(|v| v.to_text().into_owned()).collect(),
        Some(text) => text.to_text().split(',').map(|t| t.trim().to_owned()).collect(),
        None => shared.settings.interpreter_python_fallback.clone(),
    };
    let commands: Vec<String> = list.iter().map(|name| format!("command -v '{name}'")).collect();
    let argv: Value = vec!["/bin/sh".to_owned(), "-c".into(), commands.join("; ")].into();
    let entry = shared.registry.module(MODULE).cloned().ok_or_else(|| Error::new("no module runs others"))?;
    let done = on_host::run(call, &entry, Arguments::from(map! { "argv" => argv }))?;
    let printed = done.values.get("stdout").map(|v| v.to_text().into_owned()).unwrap_or_default();
    let host = call.target();
    let shown = |host: &str| playbook_api::python::repr(&host.into());
    let Some(found) = printed.lines().map(str::trim).find(|line| line.starts_with('/')) else {
        let tried = playbook_api::python::repr(&Value::from(list));
        let warning = format!("No python interpreters found for host {} (tried {tried}).", shown(host));
        return Ok(("/usr/bin/python3".into(), Some(warning).filter(|_| !silent)));
    };
    let (_, major, minor, _) = shared.settings.core.version();
    let warning = format!(
        "Host {} is using the discovered Python interpreter at {}, but future installation of another Python \
         interpreter could cause a different interpreter to be discovered. See \
         https://docs.ansible.com/ansible-core/{major}.{minor}/reference_appendices/interpreter_discovery.html \
         for more \
         information.",
        shown(host),
        shown(found)
    );
    Ok((found.to_owned(), Some(warning).filter(|_| !silent)))
}
