//! `cloudwatch_dashboard`: creates, changes and deletes dashboards of CloudWatch.

use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::connection::Connection;
use crate::error::Explain;
use crate::resource::{self, Common, Existence, Identity, Resource};

/// Creates, changes or deletes a dashboard.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required_if" = [["state", "present", ["body"]]]))]
pub(crate) struct CloudwatchDashboard {
    /// The name, which is unique in the account.
    pub name: String,
    /// The widgets and settings as CloudWatch defines them: a dictionary or its JSON.
    #[schemars(extend("format" = "raw"))]
    pub body: Option<Json>,
    /// Whether the dashboard is to exist.
    #[serde(default)]
    pub state: Existence,
    #[serde(flatten)]
    pub connection: Connection,
}

impl ControllerModule for CloudwatchDashboard {
    const DOC: Doc = Doc {
        name: "cloudwatch_dashboard",
        collection: "amazon.aws",
        short: "Create, change or delete a dashboard of CloudWatch",
        returns: &[("dashboard", "dict", "The dashboard: name, arn and body.")],
        examples: "\
- name: The load of the database
  cloudwatch_dashboard:
    name: webapp
    body:
      widgets:
        - type: metric
          width: 12
          height: 6
          properties:
            region: eu-west-1
            title: Database
            metrics: [[AWS/RDS, CPUUtilization, DBInstanceIdentifier, webapp]]

- name: Delete the dashboard
  cloudwatch_dashboard: {name: webapp, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(mut self, context: &Context) -> Result<Outcome, Failure> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if self.name.is_empty() || self.name.len() > 255 || !self.name.chars().all(allowed) {
            return Err(Failure::new(format!("'{}' is not a valid name of a dashboard", self.name))
                .with_help("Use up to 255 ASCII letters, digits, hyphens and underscores."));
        }
        self.body = self.body.as_ref().map(parse).transpose()?;
        resource::apply(self, context).await
    }
}

/// Returns a body as a dictionary.
fn parse(given: &Json) -> Result<Json, Failure> {
    let parsed = match given {
        Json::String(text) => serde_json::from_str(text)
            .map_err(|error| Failure::new(format!("body is not valid JSON: {error}")))?,
        other => other.clone(),
    };
    if parsed.is_object() {
        return Ok(parsed);
    }
    Err(Failure::new("body is not a dictionary").with_help("Give a dictionary with `widgets`, or its JSON."))
}

/// A dashboard.
pub(crate) struct Current {
    arn: Option<String>,
    body: Json,
}

impl CloudwatchDashboard {
    async fn put(&self, aws: &Aws, context: &Context) -> Result<(), Failure> {
        let body = self.body.as_ref().map(Json::to_string).unwrap_or_default();
        let request = aws.cloudwatch().put_dashboard().dashboard_name(&self.name).dashboard_body(body);
        let answer = request.send().await.explain("cloudwatch:PutDashboard")?;
        for note in answer.dashboard_validation_messages() {
            let (path, message) = (note.data_path().unwrap_or_default(), note.message().unwrap_or_default());
            context.warnings.push(Error::new(format!("the dashboard {}: {path}: {message}", self.name)));
        }
        Ok(())
    }

    fn described(&self, arn: Option<&str>, body: Option<&Json>) -> Map<String, Json> {
        let dashboard = json!({"name": self.name, "arn": arn, "body": body});
        Map::from_iter([("dashboard".to_owned(), dashboard)])
    }
}

impl Resource for CloudwatchDashboard {
    type Current = Current;

    const KIND: &'static str = "dashboard";
    const TYPE: &'static str = "AWS::CloudWatch::Dashboard";
    const UNKNOWN: &'static [&'static str] = &["dashboard.arn"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: None,
            purge_tags: false,
            wait: None,
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let answer = aws.cloudwatch().get_dashboard().dashboard_name(&self.name).send().await;
        let missing = ["ResourceNotFound", "DashboardNotFoundError"];
        let Some(found) = answer.missing("cloudwatch:GetDashboard", &missing)? else { return Ok(None) };
        let text = found.dashboard_body.unwrap_or_default();
        let body = serde_json::from_str(&text).unwrap_or(Json::String(text));
        Ok(Some(Current { arn: found.dashboard_arn, body }))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: current.arn.clone(), account: None }
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        self.described(current.arn.as_deref(), Some(&current.body))
    }

    fn foreseen(&self) -> Map<String, Json> {
        self.described(None, self.body.as_ref())
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        // Exactly: the order of widgets is that on the screen.
        if let Some(body) = self.body.as_ref().filter(|body| **body != current.body) {
            changes.note("body", current.body.clone(), body.clone());
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, context: &Context) -> Result<Current, Failure> {
        self.put(aws, context).await?;
        Ok(Current { arn: None, body: Json::Null })
    }

    async fn modify(
        &self,
        aws: &Aws,
        _current: &Current,
        _changes: &Changes,
        context: &Context,
    ) -> Result<(), Failure> {
        self.put(aws, context).await
    }

    async fn delete(&self, aws: &Aws, _current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.cloudwatch().delete_dashboards().dashboard_names(&self.name);
        Ok(request.send().await.explain("cloudwatch:DeleteDashboards").map(drop)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Json) -> CloudwatchDashboard {
        let (name, body) = ("webapp".to_owned(), Some(body));
        CloudwatchDashboard { name, body, state: Existence::Present, connection: Connection::default() }
    }

    #[test]
    fn a_body_is_a_dictionary_or_its_json() {
        let body = json!({"widgets": [{"type": "text", "x": 0}]});
        assert_eq!(parse(&body).unwrap(), body);
        assert_eq!(parse(&body.to_string().into()).unwrap(), body);
        assert!(parse(&json!("{")).unwrap_err().error.message().contains("not valid JSON"));
        assert!(parse(&json!("[]")).unwrap_err().error.message().contains("not a dictionary"));
    }

    #[test]
    fn widgets_in_another_order_are_a_change() {
        let (one, other) = (json!({"widgets": [1, 2]}), json!({"widgets": [2, 1]}));
        let current = Current { arn: None, body: one.clone() };
        let mut changes = Changes::default();
        asked(one).compare(&current, &mut changes).unwrap();
        assert!(changes.is_empty());
        asked(other).compare(&current, &mut changes).unwrap();
        assert!(changes.has("body"));
    }
}
