//! A module's result as bytes.

use playbook_api::{Diff, Error, ErrorKind, Failure, Outcome};

use crate::wire::{DEEPEST, Input, Wire, broken, get_all, put_all};

impl Wire for Diff {
    fn put(&self, out: &mut Vec<u8>) {
        self.before.put(out);
        self.after.put(out);
        self.before_header.put(out);
        self.after_header.put(out);
        self.prepared.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(Diff {
            before: Wire::get(input)?,
            after: Wire::get(input)?,
            before_header: Wire::get(input)?,
            after_header: Wire::get(input)?,
            prepared: Wire::get(input)?,
        })
    }
}

impl Wire for Outcome {
    fn put(&self, out: &mut Vec<u8>) {
        self.changed.put(out);
        self.skipped.put(out);
        self.values.put(out);
        self.facts.put(out);
        put_all(&self.diff, out);
        put_all(&self.warnings, out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(Outcome {
            change: None,
            changed: Wire::get(input)?,
            skipped: Wire::get(input)?,
            values: Wire::get(input)?,
            facts: Wire::get(input)?,
            diff: get_all(input)?,
            warnings: get_all(input)?,
        })
    }
}

/// The chain of messages with their help and kinds. Places are left out: the controller knows them.
impl Wire for Error {
    fn put(&self, out: &mut Vec<u8>) {
        self.message().to_owned().put(out);
        let kind = match self.kind() {
            ErrorKind::Undefined => 1,
            ErrorKind::NotFound => 2,
            ErrorKind::Internal => 3,
            _ => 0,
        };
        out.push(kind);
        self.help().map(str::to_owned).put(out);
        self.cause().is_some().put(out);
        if let Some(cause) = self.cause() {
            cause.put(out);
        }
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        if input.depth > DEEPEST {
            return Err(broken());
        }
        input.depth += 1;
        let error = Error::new(String::get(input)?);
        let error = match input.byte()? {
            1 => error.with_kind(ErrorKind::Undefined),
            2 => error.with_kind(ErrorKind::NotFound),
            3 => error.with_kind(ErrorKind::Internal),
            _ => error,
        };
        let error = match Option::<String>::get(input)? {
            Some(help) => error.with_help(help),
            None => error,
        };
        let error = if bool::get(input)? { error.caused_by(Error::get(input)?) } else { error };
        input.depth -= 1;
        Ok(error)
    }
}

/// A module cannot say that its host is unreachable.
impl Wire for Failure {
    fn put(&self, out: &mut Vec<u8>) {
        self.error.put(out);
        self.outcome.put(out);
    }

    fn get(input: &mut Input) -> Result<Self, Error> {
        Ok(Failure { error: Error::get(input)?, outcome: Outcome::get(input)?, unreachable: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_keep_their_causes_help_and_values() {
        let cause = Error::new("no such file").with_kind(ErrorKind::NotFound).with_help("make it");
        let failure = Failure::from(Error::new("cannot read").caused_by(cause))
            .outcome(Outcome::changed(true).with("rc", 3).warn("careful").diff(Diff::text("a", "b")));
        let back = {
            let mut bytes = Vec::new();
            failure.put(&mut bytes);
            Input::all::<Failure>(&bytes).unwrap()
        };
        assert_eq!(back.error.to_string(), "cannot read: no such file");
        let cause = back.error.cause().unwrap();
        assert_eq!((cause.kind(), cause.help()), (ErrorKind::NotFound, Some("make it")));
        assert_eq!((back.outcome.changed, back.outcome.warnings), (true, vec!["careful".to_owned()]));
        assert_eq!(back.outcome.diff[0].after, Some("b".into()));
    }
}
