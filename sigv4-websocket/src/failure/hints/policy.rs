//! The statements of a policy that a client needs (IoT developer guide, "AWS IoT Core policy actions").

use serde_json::json;

use super::Facts;

/// The hints for a connection that no policy allows.
pub(super) fn connect(facts: &Facts<'_>) -> Vec<String> {
    vec![
        "if no policy allows this client ID, IoT Core answers Not authorized (0x87), or hangs up (error 5134 of the AWS \
         IoT SDKs). This statement allows it, with an ARN of the kind client/…, not topic/… or *:"
            .to_owned(),
        statement(facts, "iot:Connect", "client", facts.client_id),
        COGNITO.to_owned(),
    ]
}

/// The hints for a subscription that no policy allows. To receive messages is an action of its own.
pub(super) fn subscribe(facts: &Facts<'_>, filter: &str) -> Vec<String> {
    // Messages of a shared subscription come on the topic itself (MQTT 5 section 4.8.2).
    let shared = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
    let topic = shared.map_or(filter, |(_, topic)| topic);
    vec![
        "if no policy allows this subscription, these statements do, to subscribe and to receive:".to_owned(),
        statement(facts, "iot:Subscribe", "topicfilter", filter),
        // A policy writes a wildcard as an asterisk.
        statement(facts, "iot:Receive", "topic", &topic.replace(['+', '#'], "*")),
        COGNITO.to_owned(),
    ]
}

/// The hints for a message that no policy allows.
pub(super) fn publish(facts: &Facts<'_>, topic: &str) -> Vec<String> {
    vec![
        "if no policy allows this message, this statement does. One that is retained needs iot:RetainPublish as well:"
            .to_owned(),
        statement(facts, "iot:Publish", "topic", topic),
        COGNITO.to_owned(),
    ]
}

const COGNITO: &str = "an Amazon Cognito identity needs an IoT policy as well, attached to each identity ID: aws iot \
                       attach-policy";

fn statement(facts: &Facts<'_>, action: &str, kind: &str, name: &str) -> String {
    let account = facts.credentials.as_ref().and_then(|keys| keys.account_id()).map(|id| id.as_str());
    let account = account.filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()));
    let (partition, region, account) =
        (partition(facts.region), facts.region, account.unwrap_or("<account>"));
    let resource = format!("arn:{partition}:iot:{region}:{account}:{kind}/{name}");
    json!({ "Effect": "Allow", "Action": action, "Resource": resource }).to_string()
}

/// The partition of a region, as in an ARN (AWS General Reference, "Amazon Resource Names").
fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>()[..] {
        ["cn", ..] => "aws-cn",
        ["eusc", ..] => "aws-eusc",
        [_, "gov", ..] => "aws-us-gov",
        [_, "iso", ..] => "aws-iso",
        [_, "isob", ..] => "aws-iso-b",
        [_, "isoe", ..] => "aws-iso-e",
        [_, "isof", ..] => "aws-iso-f",
        _ => "aws",
    }
}
