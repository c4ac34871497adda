//! Encrypts and decrypts vaults with a given password.

use playbook_api::{Error, ErrorKind, Value};

use super::arguments::{flag, given, text};
use crate::template::undefined::Sealed;
use crate::template::{Call, Deprecation, Function, purity};
use crate::vault::envelope::{Envelope, seal};
use crate::vault::is_envelope;

pub(super) const FILTERS: &[Function] =
    &[Function::new("vault", vault), Function::new("unvault", unvault).taking_vaults()];

fn secret(value: &Option<Value>) -> Result<&str, Error> {
    let value = value.as_ref().unwrap_or(&Value::Null);
    value.as_str().ok_or_else(|| {
        Error::new(format!(
            "Secret passed is required to be a string, instead we got <class '{}'>.",
            value.type_name()
        ))
    })
}

/// The option has an older, undocumented name.
fn warn_of_vaultid(call: &Call, old_id: &Option<Value>) {
    if old_id.as_ref().is_some_and(|id| !id.is_null()) {
        let what = Error::new("Use of undocumented `vaultid`.").with_help("Use `vault_id` instead.");
        call.renderer.scope.deprecate(Deprecation::new(what, "2.20"));
    }
}

fn vault(call: &mut Call) -> Result<Value, Error> {
    let [password, salt, id, wrap, old_id] =
        call.bind(["secret", "salt", "vault_id", "wrap_object", "vaultid"], 1)?;
    let password = secret(&password)?;
    let Some(plain) = call.input.as_str() else {
        return Err(Error::new(format!(
            "Can only vault strings, instead we got <class '{}'>.",
            call.input.type_name()
        )));
    };
    if flag(&wrap, false) {
        // The plain text with the mark of a vault: what an inline `!vault` is.
        return Ok(Value::secret(plain));
    }
    warn_of_vaultid(call, &old_id);
    let id = given(id.or(old_id));
    let id = text(&id, "filter_default");
    let salt: Vec<u8> = match given(salt) {
        Some(salt) => salt.to_text().as_bytes().to_vec(),
        None => {
            purity::taint();
            rand::random::<[u8; 32]>().to_vec()
        }
    };
    // Only labels other than the default one are written into the envelope.
    let label = Some(&*id).filter(|id| !id.is_empty() && *id != "default");
    seal(plain.as_bytes(), password.as_bytes(), label, &salt)
        .map(Value::from)
        .ok_or_else(|| Error::new("Unable to encrypt: the text cannot be sealed"))
}

/// Returns text that is not a vault unchanged.
fn unvault(call: &mut Call) -> Result<Value, Error> {
    let [password, _, old_id] = call.bind(["secret", "vault_id", "vaultid"], 1)?;
    warn_of_vaultid(call, &old_id);
    let password = secret(&password)?;
    let sealed = Sealed::of(&call.input).map(|sealed| &*sealed.envelope);
    let Some(envelope) = sealed.or(call.input.as_str()) else {
        return Err(Error::new(format!(
            "Vault should be in the form of a string, instead we got <class '{}'>.",
            call.input.type_name()
        )));
    };
    if !is_envelope(envelope.as_bytes()) {
        return Ok(call.input());
    }
    let opened = Envelope::parse(envelope)?.open(password.as_bytes());
    let bytes =
        opened.ok_or_else(|| Error::new("Unable to decrypt: wrong secret").with_kind(ErrorKind::Vault))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    call.renderer.environment.context.redactor.register(&text);
    Ok(Value::secret(text))
}
