//! ansible.cfg, the environment and flags, as one [`Settings`] value.

mod value;

pub use value::Settings;
