//! What modules that manage one resource of AWS share: the module says how its resource is found, compared and changed,
//! and [`apply`] does the rest, which is the same for all of them.

use std::future::Future;
use std::time::{Duration, Instant};

use playbook_api::{Change, ChangeAction, Context, Error, Failure, Map, Outcome, ResourceName, Value};
use serde_json::{Map as JsonMap, Value as Json};

use crate::client::Aws;
use crate::compare::{Changes, whole_diff};
use crate::connection::Connection;
use crate::tags::{TagChanges, Tags};
use crate::wait;

/// Whether a resource is to exist.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Existence {
    /// The resource exists, as described by the other arguments.
    #[default]
    Present,
    /// The resource does not exist.
    Absent,
}

/// What AWS calls a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    /// The ID, such as `vpc-0a1b2c3d`; the name where the service has no IDs.
    pub id: String,
    /// The ARN, where the service returns one.
    pub arn: Option<String>,
    /// The account, where the service returns it and no ARN.
    pub account: Option<String>,
}

/// The arguments that the modules of all resources share.
pub(crate) struct Common<'a> {
    /// The connection arguments.
    pub connection: &'a Connection,
    /// The name that users know the resource by.
    pub name: &'a str,
    /// Whether the resource is to exist.
    pub state: Existence,
    /// The desired tags; `None` leaves them as they are.
    pub tags: Option<Tags>,
    /// Whether to remove tags that are not listed.
    pub purge_tags: bool,
    /// For how long to wait until the resource is ready, or gone; `None` does not wait.
    pub wait: Option<Duration>,
}

/// The time after which a resource that was created has to be described by its service.
const CONSISTENT_AFTER: Duration = Duration::from_secs(60);
/// The time between two requests while a resource is not described yet.
const CONSISTENCY_INTERVAL: Duration = Duration::from_secs(1);

/// A resource of AWS, as a task's arguments describe it.
///
/// Implementations hold no logic of check mode, `--diff`, tags, waiting or `changed`: [`apply`] has all of it.
pub(crate) trait Resource: Sync {
    /// Everything about the resource that is compared or returned, as the module reads it.
    type Current: Send + Sync;

    /// What messages call the resource: `VPC`.
    const KIND: &'static str;
    /// The type in the terms of CloudFormation: `AWS::EC2::VPC`.
    const TYPE: &'static str;
    /// The returned values that only the creation tells, as paths: `["vpc.id"]`. In check mode they are unknown.
    const UNKNOWN: &'static [&'static str];

    /// Returns the arguments that all resources share.
    fn common(&self) -> Common<'_>;

    /// Returns the time between two requests while waiting.
    fn interval(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Finds the resource that the arguments describe.
    fn find(&self, aws: &Aws) -> impl Future<Output = Result<Option<Self::Current>, Error>> + Send;

    /// Reads a resource again that was found or created. The default finds it by the arguments.
    fn find_again(
        &self,
        aws: &Aws,
        _known: &Self::Current,
    ) -> impl Future<Output = Result<Option<Self::Current>, Error>> + Send {
        self.find(aws)
    }

    /// Returns what AWS calls the resource.
    fn identity(&self, current: &Self::Current) -> Identity;

    /// Returns the tags of the resource.
    fn current_tags(&self, _current: &Self::Current) -> Tags {
        Tags::new()
    }

    /// Returns the values of the module's result that describe the resource.
    fn returned(&self, current: &Self::Current) -> JsonMap<String, Json>;

    /// Returns the values of the module's result when the resource does not exist, and after its deletion.
    fn returned_absent(&self, _deleted: Option<&Self::Current>) -> JsonMap<String, Json> {
        JsonMap::new()
    }

    /// Returns the result of a creation as far as the arguments tell it, without what [`Self::UNKNOWN`] lists.
    fn foreseen(&self) -> JsonMap<String, Json>;

    /// Rejects arguments that AWS would reject when it creates the resource, so that check mode reports them too.
    fn check_creation(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Records the members that differ from the arguments; tags are compared by [`apply`].
    fn compare(&self, current: &Self::Current, changes: &mut Changes) -> Result<(), Failure>;

    /// Returns whether the changes replace the resource by a new one.
    fn replaces(&self, _changes: &Changes) -> bool {
        false
    }

    /// Creates the resource with its tags.
    fn create(
        &self,
        aws: &Aws,
        context: &Context,
    ) -> impl Future<Output = Result<Self::Current, Failure>> + Send;

    /// Completes a resource that was created and is described. Returns whether that changed it.
    fn complete(
        &self,
        _aws: &Aws,
        _current: &Self::Current,
    ) -> impl Future<Output = Result<bool, Failure>> + Send {
        async { Ok(false) }
    }

    /// Makes the changes that [`Self::compare`] recorded.
    fn modify(
        &self,
        aws: &Aws,
        current: &Self::Current,
        changes: &Changes,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sets and removes tags of an existing resource.
    fn change_tags(
        &self,
        _aws: &Aws,
        _current: &Self::Current,
        _changes: &TagChanges,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }

    /// Deletes the resource.
    fn delete(
        &self,
        aws: &Aws,
        current: &Self::Current,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Returns why the resource is not ready yet (`its state is provisioning`), or an error if it never will be.
    fn pending(&self, _current: &Self::Current) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}

/// Brings a resource into the desired state, or reports what that would change.
pub(crate) async fn apply<R: Resource>(asked: R, context: &Context) -> Result<Outcome, Failure> {
    let common = asked.common();
    let aws = Aws::connect(common.connection, context).await?;
    let (state, title) = (common.state, format!("{} {}", R::KIND, common.name));
    let task = Task { asked: &asked, common, title, aws: &aws, context };
    let outcome = match (state, asked.find(&aws).await?) {
        (Existence::Absent, None) => with_values(Outcome::changed(false), asked.returned_absent(None)),
        (Existence::Absent, Some(current)) => task.delete(&current).await?,
        (Existence::Present, None) => task.create().await?,
        (Existence::Present, Some(current)) => task.update(current).await?,
    };
    Ok(aws.finish(outcome))
}

/// One call of [`apply`].
struct Task<'a, R> {
    asked: &'a R,
    common: Common<'a>,
    /// What messages call the resource: `VPC production`.
    title: String,
    aws: &'a Aws,
    context: &'a Context,
}

impl<R: Resource> Task<'_, R> {
    async fn create(&self) -> Result<Outcome, Failure> {
        self.asked.check_creation()?;
        let mut outcome = Outcome::changed(true);
        if self.context.diff {
            let after = Json::Object(self.asked.foreseen());
            outcome = outcome.diff(whole_diff(Json::Null, after, &self.title));
        }
        if self.context.check {
            let reason = format!("the {} is created", self.title);
            outcome = with_values(outcome, self.asked.foreseen());
            for path in R::UNKNOWN {
                set_unknown(&mut outcome.values, path, &reason);
            }
            return Ok(outcome.change(self.change(ChangeAction::Create, None, &Changes::default())));
        }
        let created = self.asked.create(self.aws, self.context).await?;
        let mut now = self.settle(created).await?;
        if self.asked.complete(self.aws, &now).await? {
            now = self.settle(now).await?;
        }
        let change = self.change(ChangeAction::Create, Some(&now), &Changes::default());
        Ok(with_values(outcome, self.asked.returned(&now)).change(change))
    }

    async fn update(&self, current: R::Current) -> Result<Outcome, Failure> {
        let mut changes = Changes::default();
        self.asked.compare(&current, &mut changes)?;
        let modifies = !changes.is_empty();
        let current_tags = self.asked.current_tags(&current);
        let tag_changes =
            TagChanges::between(&current_tags, self.common.tags.as_ref(), self.common.purge_tags);
        tag_changes.note(&current_tags, &mut changes);
        let mut outcome = Outcome::changed(!changes.is_empty());
        if changes.is_empty() {
            let ready = if self.context.check { current } else { self.ready(current).await? };
            return Ok(with_values(outcome, self.asked.returned(&ready)));
        }
        let action = match self.asked.replaces(&changes) {
            true => ChangeAction::Replace,
            false => ChangeAction::Modify,
        };
        outcome = outcome.change(self.change(action, Some(&current), &changes));
        if self.context.diff {
            outcome = outcome.diff(changes.diff(&self.title));
        }
        if self.context.check {
            return Ok(with_values(outcome, self.asked.returned(&current)));
        }
        if modifies {
            self.asked.modify(self.aws, &current, &changes, self.context).await?;
        }
        if !tag_changes.is_empty() {
            self.asked.change_tags(self.aws, &current, &tag_changes).await?;
        }
        let now = self.settle(current).await?;
        Ok(with_values(outcome, self.asked.returned(&now)))
    }

    async fn delete(&self, current: &R::Current) -> Result<Outcome, Failure> {
        let change = self.change(ChangeAction::Delete, Some(current), &Changes::default());
        let mut outcome =
            with_values(Outcome::changed(true), self.asked.returned_absent(Some(current))).change(change);
        if self.context.diff {
            let before = Json::Object(self.asked.returned(current));
            outcome = outcome.diff(whole_diff(before, Json::Null, &self.title));
        }
        if self.context.check {
            return Ok(outcome);
        }
        self.asked.delete(self.aws, current, self.context).await?;
        let Some(limit) = self.common.wait else { return Ok(outcome) };
        let gone = wait::until(self.context, limit, self.asked.interval(), || async {
            self.context.progress(format!("the {} to be deleted", self.title));
            Ok(self.asked.find_again(self.aws, current).await?.is_none().then_some(()))
        });
        match gone.await? {
            Some(()) => Ok(outcome),
            None => Err(Failure::new(format!(
                "the {} still exists {} seconds after its deletion was requested",
                self.title,
                limit.as_secs()
            ))
            .with_help("Check what still uses it, or raise `wait_timeout`.")),
        }
    }

    /// Waits until the service describes the resource and, if the task waits, until the resource is ready.
    async fn settle(&self, known: R::Current) -> Result<R::Current, Failure> {
        let found = wait::until(self.context, CONSISTENT_AFTER, CONSISTENCY_INTERVAL, || {
            self.asked.find_again(self.aws, &known)
        });
        match found.await? {
            Some(current) => self.ready(current).await,
            None => Err(Failure::new(format!(
                "the {} was created, but is still not described after {} seconds",
                self.title,
                CONSISTENT_AFTER.as_secs()
            ))
            .with_help("Run the playbook again: it continues from what exists.")),
        }
    }

    /// Waits until the resource is ready, if the task waits.
    async fn ready(&self, mut current: R::Current) -> Result<R::Current, Failure> {
        let Some(limit) = self.common.wait else { return Ok(current) };
        let interval = self.asked.interval();
        let end = Instant::now() + limit;
        while let Some(reason) = self.asked.pending(&current)? {
            self.context.progress(format!("the {}: {reason}", self.title));
            if Instant::now() + interval > end {
                let seconds = limit.as_secs();
                return Err(Failure::new(format!(
                    "the {} is not ready after {seconds} seconds: {reason}",
                    self.title
                ))
                .with_help(
                    "Run the playbook again: it continues from what exists. Or raise `wait_timeout`.",
                ));
            }
            wait::pause(self.context, interval).await?;
            current = self.asked.find_again(self.aws, &current).await?.ok_or_else(|| {
                Failure::new(format!("the {} disappeared while the task waited for it", self.title))
            })?;
        }
        Ok(current)
    }

    fn change(&self, action: ChangeAction, current: Option<&R::Current>, changes: &Changes) -> Change {
        let identity = current.map(|current| self.asked.identity(current)).unwrap_or_default();
        let members = changes.names().map(str::to_owned).collect();
        Change { action, resource: name(R::TYPE, self.common.name, identity, self.aws), members }
    }
}

/// Returns what a resource is called in reports.
fn name(kind: &'static str, name: &str, identity: Identity, aws: &Aws) -> ResourceName {
    ResourceName {
        kind,
        id: Some(identity.id).filter(|id| !id.is_empty()),
        account: identity.account.or_else(|| account_of(identity.arn.as_deref()?)),
        arn: identity.arn,
        name: name.to_owned(),
        region: aws.region().to_owned(),
    }
}

/// Returns the change of a resource that a module manages without [`apply`]. `arn` is `None` until it is known.
pub(crate) fn change(
    aws: &Aws,
    kind: &'static str,
    resource: &str,
    arn: Option<&str>,
    action: ChangeAction,
    changes: &Changes,
) -> Change {
    let identity = Identity { id: resource.to_owned(), arn: arn.map(str::to_owned), ..Identity::default() };
    let members = changes.names().map(str::to_owned).collect();
    Change { action, resource: name(kind, resource, identity, aws), members }
}

/// Returns the account that an ARN names.
fn account_of(arn: &str) -> Option<String> {
    arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned)
}

/// Adds the members of a dictionary to the returned values.
pub(crate) fn with_values(outcome: Outcome, values: JsonMap<String, Json>) -> Outcome {
    values.into_iter().fold(outcome, |outcome, (name, value)| outcome.with(&name, Value::from_json(value)))
}

/// Sets the value at a path such as `vpc.id` to unknown, and creates the dictionaries above it.
pub(crate) fn set_unknown(values: &mut Map, path: &str, reason: &str) {
    let unknown = Value::Unknown(reason.into());
    match path.split_once('.') {
        None => {
            values.insert(path.into(), unknown);
        }
        Some((first, rest)) => {
            let mut inner = match values.get(first) {
                Some(Value::Map(map)) => Map::clone(map),
                _ => Map::default(),
            };
            set_unknown(&mut inner, rest, reason);
            values.insert(first.into(), inner.into());
        }
    }
}
