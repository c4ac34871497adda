//! Default values of arguments, for `#[serde(default = "…")]`.

/// `true`.
pub fn yes() -> bool {
    true
}

/// The number `N`, of whichever integer type the argument has: `#[serde(default = "defaults::number::<u64, 5>")]`.
pub fn number<T: From<u16>, const N: u16>() -> T {
    T::from(N)
}
