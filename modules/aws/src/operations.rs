//! The services that modules use and the operations that change nothing. This file holds data only: the tests' proxy
//! compiles it too.

/// An AWS service.
#[derive(Debug)]
pub struct Service {
    /// The service's name in the SDK.
    pub sdk: &'static str,
    /// The service's prefix in IAM policies, which is also its name in a request's signature.
    pub prefix: &'static str,
    /// The operations that change nothing: all that check mode lets through.
    pub read_only: &'static [&'static str],
}

/// Every service that a module calls, or that the SDK calls to obtain credentials.
///
/// A module never calls an operation in check mode that is not listed here: it computes what it would do and reports
/// that. The interceptor that reads the table is a second barrier, in case a module has a bug.
pub const SERVICES: &[Service] = &[
    Service {
        sdk: "ECS",
        prefix: "ecs",
        read_only: &[
            "DescribeCapacityProviders",
            "DescribeClusters",
            "DescribeContainerInstances",
            "DescribeServiceDeployments",
            "DescribeServices",
            "DescribeTaskDefinition",
            "DescribeTasks",
            "ListClusters",
            "ListServices",
            "ListTagsForResource",
            "ListTaskDefinitionFamilies",
            "ListTaskDefinitions",
            "ListTasks",
        ],
    },
    Service {
        sdk: "RDS",
        prefix: "rds",
        read_only: &["DescribeDBInstances", "DescribeDBSnapshots", "ListTagsForResource"],
    },
    Service {
        sdk: "Secrets Manager",
        prefix: "secretsmanager",
        read_only: &[
            "DescribeSecret",
            "GetResourcePolicy",
            "GetSecretValue",
            "ListSecretVersionIds",
            "ListSecrets",
        ],
    },
    Service {
        sdk: "Elastic Load Balancing v2",
        prefix: "elasticloadbalancing",
        read_only: &["DescribeTargetGroups", "DescribeTargetHealth"],
    },
    Service {
        sdk: "CloudWatch Logs",
        prefix: "logs",
        read_only: &["DescribeLogStreams", "FilterLogEvents", "GetLogEvents"],
    },
    Service { sdk: "S3", prefix: "s3", read_only: &["GetObject", "HeadObject", "ListObjectsV2"] },
    Service { sdk: "SSO", prefix: "sso", read_only: &["GetRoleCredentials"] },
    Service { sdk: "SSO OIDC", prefix: "sso-oauth", read_only: &["CreateToken"] },
    Service {
        sdk: "STS",
        prefix: "sts",
        read_only: &["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetCallerIdentity"],
    },
];
