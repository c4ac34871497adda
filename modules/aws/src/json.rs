//! JSON of the SDK's types that include no schema: each service lists the members of its types once, with [`to_json`].

use aws_smithy_types::DateTime;
use serde_json::{Map, Value as Json};

use crate::text::date;

/// A type of the SDK that can be returned by a module.
pub(crate) trait ToJson {
    /// Converts the value to JSON as amazon.aws returns it, with names in snake_case; null if AWS omitted it.
    fn to_json(&self) -> Json;
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Json {
        self.as_ref().map_or(Json::Null, ToJson::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Json {
        self.iter().map(ToJson::to_json).collect()
    }
}

impl<T: ToJson> ToJson for [T] {
    fn to_json(&self) -> Json {
        self.iter().map(ToJson::to_json).collect()
    }
}

impl<T: ToJson> ToJson for std::collections::HashMap<String, T> {
    fn to_json(&self) -> Json {
        // The SDK's maps are unordered; sorting makes the output deterministic.
        let mut map: Map<String, Json> = self.iter().map(|(k, v)| (k.clone(), v.to_json())).collect();
        map.sort_keys();
        map.into()
    }
}

impl ToJson for DateTime {
    fn to_json(&self) -> Json {
        date(self).into()
    }
}

/// Implements [`ToJson`] for types whose values are JSON's own.
macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl ToJson for $type {
            fn to_json(&self) -> Json {
                Json::from(self.clone())
            }
        }
    )*};
}

scalars!(String, bool, i32, i64, f64, Json);

/// Adds a member unless AWS omitted it.
pub(crate) fn put(members: &mut Map<String, Json>, name: &str, value: &impl ToJson) {
    let json = value.to_json();
    if !json.is_null() {
        members.insert(name.trim_start_matches("r#").to_owned(), json);
    }
}

/// Implements [`ToJson`] for structures, by the members to return, and for enumerations:
///
/// ```ignore
/// to_json! {
///     struct Vpc { vpc_id, cidr_block, state, db_arns as "db_ar_ns" }
///     enum VpcState;
/// }
/// ```
macro_rules! to_json {
    () => {};
    (struct $type:path { $($field:ident $(as $name:literal)?),* $(,)? } $($rest:tt)*) => {
        impl $crate::json::ToJson for $type {
            fn to_json(&self) -> serde_json::Value {
                let mut members = serde_json::Map::new();
                $($crate::json::put(&mut members, $crate::json::to_json!(@name $field $($name)?), &self.$field);)*
                members.into()
            }
        }
        $crate::json::to_json! { $($rest)* }
    };
    (enum $type:path; $($rest:tt)*) => {
        impl $crate::json::ToJson for $type {
            fn to_json(&self) -> serde_json::Value {
                self.as_str().into()
            }
        }
        $crate::json::to_json! { $($rest)* }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}

pub(crate) use to_json;
