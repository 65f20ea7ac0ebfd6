// SPDX-License-Identifier: Apache-2.0

//! Regions: the one that an endpoint names, and the partition of a region.

/// The command that prints an account's endpoint.
pub const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// The endings of the names of AWS's own endpoints in every partition, and of those for both IP versions in most (AWS
/// General Reference, "AWS service endpoints").
const SUFFIXES: [&str; 8] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// The region in the name of an IoT Core endpoint: `<id>-ats.iot.<region>.<suffix>`, or `iot-fips` in place of `iot`
/// (IoT developer guide, "Connecting to AWS IoT FIPS endpoints"). `None` for any other host, such as a custom domain.
pub fn region_in(host: &str) -> Option<&str> {
    let name = SUFFIXES.into_iter().find_map(|suffix| host.strip_suffix(suffix))?;
    let (rest, region) = name.rsplit_once('.')?;
    let (_id, service) = rest.rsplit_once('.')?;
    ["iot", "iot-fips"].contains(&service).then_some(region)
}

/// Whether this is an IoT Core endpoint of the old kind. Trust stores no longer hold its root certificate (IoT developer
/// guide, "Server authentication").
pub fn is_without_ats(host: &str) -> bool {
    region_in(host).is_some() && host.contains(".iot.") && !host.contains("ats.iot.")
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
