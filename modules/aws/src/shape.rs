//! Conversion between the SDK's ECS types and JSON with the names of the API.
//!
//! The types include their schema, so one writer and one reader are enough for all of them. The reader also validates what
//! users wrote: it accepts members in camelCase and snake_case, converts text to numbers as Ansible does, and names the
//! path of a member that does not exist.

use aws_smithy_schema::Schema;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer, ShapeSerializer};
use aws_smithy_types::{BigDecimal, BigInteger, Blob, DateTime, Document, Number};
use playbook_api::Error;
use playbook_api::nearest;
use serde_json::{Map, Value as Json};

use crate::text::{camel, date};

/// Converts a structure of the SDK to JSON as boto3 returns it, without members that AWS omitted.
pub(crate) fn to_json(value: &dyn SerializableStruct) -> Json {
    let mut writer = Writer { frames: vec![Frame::List(Vec::new())] };
    // Writing to memory cannot fail: every method of the writer returns Ok.
    let _ = writer.write_struct(value.schema(), value);
    match writer.pop() {
        Json::Array(mut items) => items.pop().unwrap_or_default(),
        other => other,
    }
}

/// Converts a list of structures of the SDK to JSON.
pub(crate) fn list_to_json<T: SerializableStruct>(values: &[T]) -> Json {
    values.iter().map(|value| to_json(value)).collect()
}

/// Reads a structure of the SDK from JSON: `from_json(json, "overrides", TaskOverride::deserialize)`.
pub(crate) fn from_json<T>(
    json: &Json,
    name: &str,
    deserialize: impl FnOnce(&mut dyn ShapeDeserializer) -> Result<T, SerdeError>,
) -> Result<T, Error> {
    let mut reader = Reader { json, path: name.to_owned() };
    deserialize(&mut reader).map_err(|e| match e {
        SerdeError::Custom { message, .. } => Error::new(message),
        other => Error::new(format!("{name}: {other}")),
    })
}

/// Reads a list of structures of the SDK from JSON.
pub(crate) fn list_from_json<T>(
    json: &[Json],
    name: &str,
    deserialize: fn(&mut dyn ShapeDeserializer) -> Result<T, SerdeError>,
) -> Result<Vec<T>, Error> {
    json.iter().enumerate().map(|(i, item)| from_json(item, &format!("{name}[{i}]"), deserialize)).collect()
}

enum Frame {
    Members(Map<String, Json>),
    List(Vec<Json>),
    Entries(Map<String, Json>, Option<String>),
}

struct Writer {
    frames: Vec<Frame>,
}

impl Writer {
    fn put(&mut self, schema: &Schema<'_>, value: Json) -> Result<(), SerdeError> {
        match self.frames.last_mut() {
            Some(Frame::Members(members)) => {
                members.insert(schema.member_name().unwrap_or_default().to_owned(), value);
            }
            Some(Frame::List(items)) => items.push(value),
            Some(Frame::Entries(entries, key)) => match key.take() {
                Some(key) => {
                    entries.insert(key, value);
                }
                None => *key = value.as_str().map(str::to_owned),
            },
            None => {}
        }
        Ok(())
    }

    fn pop(&mut self) -> Json {
        match self.frames.pop() {
            Some(Frame::Members(map) | Frame::Entries(map, _)) => Json::Object(map),
            Some(Frame::List(items)) => Json::Array(items),
            None => Json::Null,
        }
    }
}

/// Defines the methods that write scalars.
macro_rules! write_scalars {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(&mut self, schema: &Schema<'_>, value: $type) -> Result<(), SerdeError> {
            self.put(schema, value.into())
        }
    )*};
}

impl ShapeSerializer for Writer {
    fn write_struct(
        &mut self,
        schema: &Schema<'_>,
        value: &dyn SerializableStruct,
    ) -> Result<(), SerdeError> {
        self.frames.push(Frame::Members(Map::new()));
        value.serialize_members(self)?;
        let json = self.pop();
        self.put(schema, json)
    }

    fn write_list(
        &mut self,
        schema: &Schema<'_>,
        write_elements: &dyn Fn(&mut dyn ShapeSerializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        self.frames.push(Frame::List(Vec::new()));
        write_elements(self)?;
        let json = self.pop();
        self.put(schema, json)
    }

    fn write_map(
        &mut self,
        schema: &Schema<'_>,
        write_entries: &dyn Fn(&mut dyn ShapeSerializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        self.frames.push(Frame::Entries(Map::new(), None));
        write_entries(self)?;
        let mut json = self.pop();
        // The SDK's maps are unordered; sorting makes the output deterministic.
        if let Json::Object(map) = &mut json {
            map.sort_keys();
        }
        self.put(schema, json)
    }

    write_scalars! {
        write_boolean: bool,
        write_byte: i8,
        write_short: i16,
        write_integer: i32,
        write_long: i64,
        write_float: f32,
        write_double: f64,
        write_string: &str,
    }

    fn write_big_integer(&mut self, schema: &Schema<'_>, value: &BigInteger) -> Result<(), SerdeError> {
        self.put(schema, value.as_ref().into())
    }

    fn write_big_decimal(&mut self, schema: &Schema<'_>, value: &BigDecimal) -> Result<(), SerdeError> {
        self.put(schema, value.as_ref().into())
    }

    fn write_blob(&mut self, schema: &Schema<'_>, value: Blob) -> Result<(), SerdeError> {
        self.put(schema, aws_smithy_types::base64::encode(value.as_ref()).into())
    }

    fn write_timestamp(&mut self, schema: &Schema<'_>, value: &DateTime) -> Result<(), SerdeError> {
        self.put(schema, date(value).into())
    }

    fn write_document(&mut self, schema: &Schema<'_>, value: &Document) -> Result<(), SerdeError> {
        self.put(schema, from_document(value))
    }

    fn write_null(&mut self, schema: &Schema<'_>) -> Result<(), SerdeError> {
        self.put(schema, Json::Null)
    }
}

fn from_document(document: &Document) -> Json {
    match document {
        Document::Object(map) => map.iter().map(|(k, v)| (k.clone(), from_document(v))).collect(),
        Document::Array(items) => items.iter().map(from_document).collect(),
        Document::Number(Number::PosInt(n)) => (*n).into(),
        Document::Number(Number::NegInt(n)) => (*n).into(),
        Document::Number(Number::Float(n)) => (*n).into(),
        Document::String(text) => text.as_str().into(),
        Document::Bool(b) => (*b).into(),
        Document::Null => Json::Null,
    }
}

struct Reader<'a> {
    json: &'a Json,
    path: String,
}

impl<'a> Reader<'a> {
    fn within(&self, json: &'a Json, step: &str) -> Reader<'a> {
        Reader { json, path: format!("{}{step}", self.path) }
    }

    fn wrong(&self, wanted: &str) -> SerdeError {
        let shown: String = self.json.to_string().chars().take(60).collect();
        SerdeError::custom(format!("{} should be {wanted}, and is {shown}", self.path))
    }

    fn integer(&self) -> Result<i64, SerdeError> {
        let text = || self.json.as_str()?.trim().parse().ok();
        let whole = || self.json.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64);
        self.json.as_i64().or_else(whole).or_else(text).ok_or_else(|| self.wrong("an integer"))
    }

    fn narrow<T: TryFrom<i64>>(&self) -> Result<T, SerdeError> {
        T::try_from(self.integer()?).map_err(|_| self.wrong("a smaller number"))
    }

    fn float(&self) -> Result<f64, SerdeError> {
        let text = || self.json.as_str()?.trim().parse().ok();
        self.json.as_f64().or_else(text).ok_or_else(|| self.wrong("a number"))
    }

    fn text(&self) -> Result<String, SerdeError> {
        match self.json {
            Json::String(text) => Ok(text.clone()),
            Json::Number(n) => Ok(n.to_string()),
            Json::Bool(b) => Ok(b.to_string()),
            _ => Err(self.wrong("text")),
        }
    }

    /// Returns the members that are not null.
    fn entries(
        &self,
        wanted: &str,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Json)> + use<'a>, SerdeError> {
        let map = self.json.as_object().ok_or_else(|| self.wrong(wanted))?;
        Ok(map.iter().filter(|(_, value)| !value.is_null()))
    }
}

impl ShapeDeserializer for Reader<'_> {
    fn read_struct(
        &mut self,
        schema: &Schema<'_>,
        state: &mut dyn FnMut(&Schema<'_>, &mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        for (key, value) in self.entries("a dictionary")? {
            let name = camel(key);
            let matches =
                |m: &&&Schema<'_>| m.member_name().is_some_and(|n| n == key || n.eq_ignore_ascii_case(&name));
            let Some(member) = schema.members().iter().find(matches) else {
                let names = || schema.members().iter().filter_map(|m| m.member_name());
                let hint = match nearest(&name, names()) {
                    Some(near) => format!("Did you mean '{near}'?"),
                    None => format!("Its members are {}", names().collect::<Vec<_>>().join(", ")),
                };
                return Err(SerdeError::custom(format!("{} has no member '{key}'. {hint}", self.path)));
            };
            state(member, &mut self.within(value, &format!(".{key}")))?;
        }
        Ok(())
    }

    fn read_list(
        &mut self,
        _schema: &Schema<'_>,
        state: &mut dyn FnMut(&mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        let Some(items) = self.json.as_array() else {
            // As everywhere in Ansible, a single value is accepted as a list of one.
            return state(&mut self.within(self.json, ""));
        };
        items.iter().enumerate().try_for_each(|(i, item)| state(&mut self.within(item, &format!("[{i}]"))))
    }

    fn read_map(
        &mut self,
        _schema: &Schema<'_>,
        state: &mut dyn FnMut(String, &mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        for (key, value) in self.entries("a dictionary")? {
            state(key.clone(), &mut self.within(value, &format!(".{key}")))?;
        }
        Ok(())
    }

    fn read_boolean(&mut self, _schema: &Schema<'_>) -> Result<bool, SerdeError> {
        let value = playbook_api::Value::from_json(self.json.clone());
        playbook_api::arguments::to_bool(&value).ok_or_else(|| self.wrong("true or false"))
    }

    fn read_byte(&mut self, _schema: &Schema<'_>) -> Result<i8, SerdeError> {
        self.narrow()
    }

    fn read_short(&mut self, _schema: &Schema<'_>) -> Result<i16, SerdeError> {
        self.narrow()
    }

    fn read_integer(&mut self, _schema: &Schema<'_>) -> Result<i32, SerdeError> {
        self.narrow()
    }

    fn read_long(&mut self, _schema: &Schema<'_>) -> Result<i64, SerdeError> {
        self.integer()
    }

    fn read_float(&mut self, _schema: &Schema<'_>) -> Result<f32, SerdeError> {
        self.float().map(|n| n as f32)
    }

    fn read_double(&mut self, _schema: &Schema<'_>) -> Result<f64, SerdeError> {
        self.float()
    }

    fn read_big_integer(&mut self, _schema: &Schema<'_>) -> Result<BigInteger, SerdeError> {
        self.text()?.parse().map_err(|_| self.wrong("an integer"))
    }

    fn read_big_decimal(&mut self, _schema: &Schema<'_>) -> Result<BigDecimal, SerdeError> {
        self.text()?.parse().map_err(|_| self.wrong("a number"))
    }

    fn read_string(&mut self, _schema: &Schema<'_>) -> Result<String, SerdeError> {
        self.text()
    }

    fn read_blob(&mut self, _schema: &Schema<'_>) -> Result<Blob, SerdeError> {
        self.text().map(Blob::new)
    }

    fn read_timestamp(&mut self, _schema: &Schema<'_>) -> Result<DateTime, SerdeError> {
        DateTime::from_str(&self.text()?, aws_smithy_types::date_time::Format::DateTimeWithOffset)
            .map_err(|_| self.wrong("a date in ISO 8601"))
    }

    fn read_document(&mut self, _schema: &Schema<'_>) -> Result<Document, SerdeError> {
        Err(SerdeError::custom(format!("{} is of a kind that cannot be given", self.path)))
    }

    fn is_null(&self) -> bool {
        self.json.is_null()
    }

    fn container_size(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::ContainerDefinition;
    use serde_json::json;

    fn container(json: Json) -> Result<Json, Error> {
        from_json(&json, "containers[0]", ContainerDefinition::deserialize).map(|c| to_json(&c))
    }

    #[test]
    fn texts_become_numbers_and_snake_case_members_are_known() {
        let read = container(json!({
            "name": "web", "image": "nginx:1", "memory": "512", "essential": "yes",
            "port_mappings": [{"containerPort": "80"}],
            "environment": [{"name": "A", "value": 1}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"b": "2", "awslogs-group": "/x"}},
        }));
        let read = read.unwrap();
        assert_eq!(read["memory"], 512);
        assert_eq!(read["essential"], true);
        assert_eq!(read["portMappings"][0]["containerPort"], 80);
        assert_eq!(read["environment"][0]["value"], "1");
        assert_eq!(read["logConfiguration"]["options"], json!({"awslogs-group": "/x", "b": "2"}));
    }

    #[test]
    fn a_misspelt_member_is_named_with_its_path() {
        let error = container(json!({"name": "web", "portMappings": [{"containrPort": 80}]})).unwrap_err();
        assert_eq!(
            error.message(),
            "containers[0].portMappings[0] has no member 'containrPort'. Did you mean 'containerPort'?"
        );
        let error = container(json!({"memory": "much"})).unwrap_err();
        assert_eq!(error.message(), "containers[0].memory should be an integer, and is \"much\"");
    }
}
