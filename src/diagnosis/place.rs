// SPDX-License-Identifier: Apache-2.0

//! Where in AWS: the region that an endpoint names, and the partition of a region.

/// The command that prints an account's endpoint.
pub const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// The region in the name of an IoT Core endpoint, `<id>-ats.iot.<region>.<suffix>`; none for any other host.
pub fn region_in(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once(".iot.")?;
    let (label, _) = rest.split_once('.')?;
    (label.contains('-') && label.ends_with(|c: char| c.is_ascii_digit())).then_some(label)
}

/// The partition of a region, as in an ARN (AWS General Reference, "Amazon Resource Names").
pub fn partition(region: &str) -> &'static str {
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
