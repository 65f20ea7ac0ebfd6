// SPDX-License-Identifier: Apache-2.0

//! The IoT policy that a client ID needs to connect.

use serde_json::json;

/// The hints for a connection that no policy allows. `account` is the number of the AWS account, if it is known.
pub(super) fn hints(region: &str, client_id: &str, account: Option<&str>) -> Vec<String> {
    let (partition, account) = (partition(region), account.unwrap_or("<account>"));
    let client = format!("arn:{partition}:iot:{region}:{account}:client/{client_id}");
    let statement = json!({ "Effect": "Allow", "Action": "iot:Connect", "Resource": client });
    vec![
        "if no policy allows this client ID, IoT Core answers Not authorized (0x87), or hangs up (error 5134 of the AWS \
         IoT SDKs). This statement allows it:"
            .to_owned(),
        statement.to_string(),
        "an Amazon Cognito identity needs an IoT policy as well: aws iot attach-policy".to_owned(),
    ]
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
