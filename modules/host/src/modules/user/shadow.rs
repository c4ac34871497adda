//! What `/etc/shadow` keeps of a user.

/// One line of it.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    pub(crate) password: String,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) warn: Option<i64>,
    pub(crate) disable: Option<i64>,
    /// The day on which the account ends, counted from 1970.
    pub(crate) expires: Option<i64>,
}

impl Shadow {
    pub(crate) fn of(name: &str) -> Option<Shadow> {
        let text = std::fs::read_to_string("/etc/shadow").ok()?;
        let line = text.lines().find(|l| l.split(':').next() == Some(name))?;
        let fields: Vec<&str> = line.split(':').collect();
        let number = |i: usize| fields.get(i).and_then(|f| f.parse().ok());
        Some(Shadow {
            password: (*fields.get(1)?).to_owned(),
            min: number(3),
            max: number(4),
            warn: number(5),
            disable: number(6),
            expires: number(7),
        })
    }
}
