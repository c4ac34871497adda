//! `elb_target_group`: creates, changes and deletes target groups of load balancers.

pub(crate) mod info;
mod options;
pub(crate) mod targets;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup, TargetHealthDescription, TargetTypeEnum,
};
use playbook_api::{Context, ControllerModule, Doc, Error, Failure, Outcome};
use serde_json::{Map, Value as Json, json};

use crate::client::Aws;
use crate::compare::Changes;
use crate::elb::{self, Attributes};
use crate::error::Explain;
use crate::json::ToJson;
use crate::resource::{self, Common, Identity, Resource};
use crate::tags::{self as tag, TagChanges, Tags};
use crate::wait;

pub(crate) use options::ElbTargetGroup;

impl ControllerModule for ElbTargetGroup {
    const DOC: Doc = Doc {
        name: "elb_target_group",
        collection: "community.aws",
        aliases: &["amazon.aws.elb_target_group"],
        short: "Create, change or delete a target group of a load balancer",
        returns: &[
            ("target_group_arn", "str", "The ARN of the target group."),
            (
                "target_group_name, protocol, port, vpc_id, …",
                "any",
                "The target group as DescribeTargetGroups tells it, members in snake_case.",
            ),
            (
                "stickiness_enabled, deregistration_delay_timeout_seconds, …",
                "str",
                "The attributes, with `_` instead of `.` in their names.",
            ),
            ("tags", "dict", "The tags."),
        ],
        examples: "\
- name: The targets of the web service
  elb_target_group:
    name: web
    protocol: http
    port: 8080
    vpc_id: \"{{ network.vpc.id }}\"
    target_type: ip
    health_check_protocol: http
    health_check_path: /health
    modify_targets: false
    state: present
  register: web

- name: Delete it
  elb_target_group: {name: web, state: absent}
",
        ..Doc::BUILTIN
    };

    async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.check()?;
        resource::apply(self, context).await
    }
}

/// A target group with what other operations tell of it.
pub(crate) struct Current {
    group: TargetGroup,
    attributes: Attributes,
    tags: Tags,
    targets: Vec<TargetHealthDescription>,
}

impl Current {
    /// Returns a target group that was just created: the rest is read afterward.
    fn new(group: TargetGroup) -> Current {
        Current { group, attributes: Attributes::new(), tags: Tags::new(), targets: Vec::new() }
    }

    fn arn(&self) -> &str {
        self.group.target_group_arn().unwrap_or_default()
    }

    /// Returns the target group as the modules return it.
    fn returned(&self) -> Map<String, Json> {
        let mut members = match self.group.to_json() {
            Json::Object(members) => members,
            _ => Map::new(),
        };
        elb::put_attributes(&mut members, &self.attributes);
        members.insert("tags".to_owned(), tag::to_json(&self.tags));
        members
    }
}

/// Reads what DescribeTargetGroups does not tell.
async fn complete(aws: &Aws, group: TargetGroup, tags: Tags, health: bool) -> Result<Current, Error> {
    let arn = group.target_group_arn().unwrap_or_default().to_owned();
    let request = aws.elb().describe_target_group_attributes().target_group_arn(&arn);
    let answer = request.send().await.explain("elasticloadbalancing:DescribeTargetGroupAttributes")?;
    let attributes = elb::attributes(answer.attributes.as_deref());
    let targets = match health {
        true => targets::health(aws, &arn).await?,
        false => Vec::new(),
    };
    Ok(Current { group, attributes, tags, targets })
}

impl Resource for ElbTargetGroup {
    type Current = Current;

    const KIND: &'static str = "target group";
    const TYPE: &'static str = "AWS::ElasticLoadBalancingV2::TargetGroup";
    const UNKNOWN: &'static [&'static str] = &["target_group_arn"];

    fn common(&self) -> Common<'_> {
        Common {
            connection: &self.connection,
            name: &self.name,
            state: self.state,
            tags: self.tags.clone(),
            purge_tags: self.purge_tags,
            wait: self.wait.then(|| wait::seconds(Some(self.wait_timeout), 200)),
        }
    }

    async fn find(&self, aws: &Aws) -> Result<Option<Current>, Error> {
        let Some(group) = targets::group_by_name(aws, &self.name).await? else { return Ok(None) };
        let arn = group.target_group_arn().unwrap_or_default().to_owned();
        let tags = elb::tags(aws, std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        Ok(Some(complete(aws, group, tags, true).await?))
    }

    fn identity(&self, current: &Current) -> Identity {
        Identity { id: self.name.clone(), arn: Some(current.arn().to_owned()), ..Identity::default() }
    }

    fn current_tags(&self, current: &Current) -> Tags {
        current.tags.clone()
    }

    fn returned(&self, current: &Current) -> Map<String, Json> {
        current.returned()
    }

    fn foreseen(&self) -> Map<String, Json> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Json| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        put("target_group_name", json!(self.name));
        put("protocol", json!(self.protocol()));
        put("port", json!(self.port));
        put("vpc_id", json!(self.vpc_id));
        put("target_type", json!(self.target_type.as_deref().unwrap_or("instance")));
        put("protocol_version", json!(self.protocol_version));
        for (name, value) in self.health_check() {
            put(name, value);
        }
        put("load_balancer_arns", json!([]));
        put("tags", json!(self.tags.as_ref().map(tag::to_json)));
        elb::put_attributes(&mut members, &self.attributes());
        members
    }

    fn check_creation(&self) -> Result<(), Failure> {
        elb::check_name("target group", &self.name)?;
        if self.target_type.as_deref() == Some("lambda") {
            return Ok(());
        }
        let missing: Vec<&str> = [
            ("protocol", self.protocol.is_none()),
            ("port", self.port.is_none()),
            ("vpc_id", self.vpc_id.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(format!("a new target group needs {}", missing.join(", ")))),
        }
    }

    fn compare(&self, current: &Current, changes: &mut Changes) -> Result<(), Failure> {
        let now = current.group.to_json();
        for (name, asked) in [
            ("protocol", json!(self.protocol())),
            ("port", json!(self.port)),
            ("vpc_id", json!(self.vpc_id)),
            ("target_type", json!(self.target_type)),
            ("protocol_version", json!(self.protocol_version)),
        ] {
            if !asked.is_null() && !now[name].is_null() && asked != now[name] {
                return Err(Failure::new(format!(
                    "cannot change the {name} of the target group {} from {} to {asked}",
                    self.name, now[name]
                ))
                .with_help("Use another `name`, or delete the target group first."));
            }
        }
        for (name, asked) in self.health_check() {
            changes.compare(name, &asked, &now[name]);
        }
        elb::note_attributes(&self.attributes(), &current.attributes, changes);
        if self.modify_targets {
            let plan = self.target_plan(current);
            if !plan.is_empty() {
                changes.note("targets", plan.before(current), plan.after(current));
            }
        }
        Ok(())
    }

    async fn create(&self, aws: &Aws, _context: &Context) -> Result<Current, Failure> {
        let request = aws.elb().create_target_group();
        let answer = request
            .name(&self.name)
            .set_protocol(self.protocol().as_deref().map(ProtocolEnum::from))
            .set_port(self.port)
            .set_vpc_id(self.vpc_id.clone())
            .set_target_type(self.target_type.as_deref().map(TargetTypeEnum::from))
            .set_protocol_version(self.protocol_version.clone())
            .set_health_check_protocol(self.health_check_protocol().as_deref().map(ProtocolEnum::from))
            .set_health_check_port(self.health_check_port.clone())
            .set_health_check_path(self.health_check_path.clone())
            .set_health_check_interval_seconds(self.health_check_interval)
            .set_health_check_timeout_seconds(self.health_check_timeout)
            .set_healthy_threshold_count(self.healthy_threshold_count)
            .set_unhealthy_threshold_count(self.unhealthy_threshold_count)
            .set_matcher(self.matcher(self.protocol_version.as_deref()))
            .set_tags(elb::sdk_tags(self.tags.as_ref()))
            .send()
            .await
            .explain("elasticloadbalancing:CreateTargetGroup")?;
        let group = answer.target_groups.unwrap_or_default().into_iter().next();
        let current = Current::new(group.unwrap_or_else(|| TargetGroup::builder().build()));
        set_attributes(aws, current.arn(), &self.attributes()).await?;
        self.target_plan(&current).apply(aws, current.arn()).await?;
        Ok(current)
    }

    async fn modify(
        &self,
        aws: &Aws,
        current: &Current,
        changes: &Changes,
        _context: &Context,
    ) -> Result<(), Failure> {
        if self.health_check().iter().any(|(name, _)| changes.has(name)) {
            let request = aws
                .elb()
                .modify_target_group()
                .target_group_arn(current.arn())
                .set_health_check_protocol(self.health_check_protocol().as_deref().map(ProtocolEnum::from))
                .set_health_check_port(self.health_check_port.clone())
                .set_health_check_path(self.health_check_path.clone())
                .set_health_check_interval_seconds(self.health_check_interval)
                .set_health_check_timeout_seconds(self.health_check_timeout)
                .set_healthy_threshold_count(self.healthy_threshold_count)
                .set_unhealthy_threshold_count(self.unhealthy_threshold_count)
                .set_matcher(self.matcher(current.group.protocol_version()));
            request.send().await.explain("elasticloadbalancing:ModifyTargetGroup")?;
        }
        set_attributes(aws, current.arn(), &elb::differing(self.attributes(), changes)).await?;
        if changes.has("targets") {
            self.target_plan(current).apply(aws, current.arn()).await?;
        }
        Ok(())
    }

    async fn change_tags(&self, aws: &Aws, current: &Current, changes: &TagChanges) -> Result<(), Failure> {
        elb::change_tags(aws, current.arn(), changes).await
    }

    async fn delete(&self, aws: &Aws, current: &Current, _context: &Context) -> Result<(), Failure> {
        let request = aws.elb().delete_target_group().target_group_arn(current.arn());
        Ok(request.send().await.explain("elasticloadbalancing:DeleteTargetGroup").map(drop)?)
    }

    fn pending(&self, current: &Current) -> Result<Option<String>, Failure> {
        Ok(targets::pending(&current.targets))
    }
}

async fn set_attributes(aws: &Aws, arn: &str, attributes: &Attributes) -> Result<(), Failure> {
    if attributes.is_empty() {
        return Ok(());
    }
    let request = aws.elb().modify_target_group_attributes().target_group_arn(arn);
    let request = request.set_attributes(Some(elb::sdk_attributes(attributes)));
    Ok(request.send().await.explain("elasticloadbalancing:ModifyTargetGroupAttributes").map(drop)?)
}

impl ElbTargetGroup {
    /// Returns the codes that count as healthy, of the kind that the protocol has.
    fn matcher(&self, version: Option<&str>) -> Option<Matcher> {
        let codes = self.successful_response_codes.as_ref()?;
        Some(match version {
            Some("GRPC") => Matcher::builder().grpc_code(codes).build(),
            _ => Matcher::builder().http_code(codes).build(),
        })
    }
}
