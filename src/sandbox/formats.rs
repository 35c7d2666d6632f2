//! The formats of addresses, masks, networks and URLs in parameters: `data/formats.txt`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use serde_json::Value;

use super::answer::Failure;
use super::arguments::Arguments;
use crate::catalog::Api;

const TEXT: &str = include_str!("data/formats.txt");

/// The schemes of images that a backup storage can download or take over.
const IMAGE_SCHEMES: [&str; 10] = ["http", "https", "ftp", "sftp", "file", "upload", "zstore", "ceph", "nbd", "volume"];

/// The formats by parameter, or by `API.parameter`.
fn formats() -> &'static HashMap<&'static str, &'static str> {
    static FORMATS: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    FORMATS.get_or_init(|| {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
        let entries = lines.filter_map(|line| line.split_once(char::is_whitespace));
        entries.flat_map(|(format, names)| names.split_whitespace().map(move |name| (name, format))).collect()
    })
}

/// Checks the formats of a call's parameters.
///
/// # Errors
/// `SYS.1007` names the parameter whose value has another format.
pub(super) fn check(api: &Api, arguments: &Arguments) -> Result<(), Failure> {
    for (name, value) in arguments.values() {
        let own = formats().get(format!("{}.{name}", api.name).as_str());
        let Some(format) = own.or_else(|| formats().get(name.as_str())) else { continue };
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        if let Some(text) = texts.into_iter().find(|text| !text.is_empty() && !is_of(format, text)) {
            return Err(Failure::argument(format!("field[{name}] has the invalid value [{text}]: {}", wanted(format))));
        }
    }
    Ok(())
}

/// What a format asks for.
fn wanted(format: &str) -> &'static str {
    match format {
        "address" => "it is no IP address",
        "host" => "it is neither an IP address nor a host name",
        "netmask" => "it is no netmask",
        "cidr" => "it is no network in CIDR notation, such as 10.0.0.0/24",
        "mac" => "it is no MAC address",
        "image-url" => "it is no URL of an image, such as http://host/path or file:///path",
        "directory" => "it is no absolute path",
        "nfs" => "it is not of the form host:/path",
        _ => "it is no URL that begins with http:// or https://",
    }
}

fn is_of(format: &str, text: &str) -> bool {
    match format {
        "address" => text.parse::<IpAddr>().is_ok(),
        "host" => is_host(text),
        "netmask" => text.parse::<Ipv4Addr>().is_ok_and(is_netmask),
        "cidr" => text.split(',').all(|text| cidr(text.trim()).is_some()),
        "mac" => {
            let parts: Vec<&str> = text.split(':').collect();
            parts.len() == 6
                && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
        }
        "image-url" => text.split_once("://").is_some_and(|(scheme, rest)| {
            IMAGE_SCHEMES.contains(&scheme) && !rest.is_empty() && (scheme != "file" || rest.starts_with('/'))
        }),
        "directory" => text.starts_with('/'),
        "nfs" => text.split_once(":/").is_some_and(|(host, path)| is_host(host) && !path.starts_with('/')),
        _ => {
            ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        }
    }
}

/// Whether the set bits of a mask come first. A mask without any matches all addresses and is none.
fn is_netmask(mask: Ipv4Addr) -> bool {
    let bits = u32::from(mask);
    bits != 0 && bits.leading_ones() + bits.trailing_zeros() == 32
}

fn is_host(text: &str) -> bool {
    // What consists of digits and dots is meant as an address.
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253
        && text.split('.').all(is_label)
        && !text.split('.').all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The address and prefix length of a network in CIDR notation.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_table_names_parameters_of_the_catalog_and_formats_that_exist() {
        let catalog = Catalog::newest();
        for (name, format) in formats() {
            let exists = match name.split_once('.') {
                Some((api, parameter)) => catalog.api(api).is_some_and(|api| api.parameter(parameter).is_some()),
                None => catalog
                    .api_names()
                    .filter_map(|api| catalog.api(api.as_str()))
                    .any(|api| api.parameter(name).is_some()),
            };
            assert!(exists, "{name}");
            assert!(*format == "web-url" || wanted(format) != wanted("web-url"), "{format}");
        }
    }

    #[test]
    fn formats_tell_sense_from_nonsense() {
        for (format, good, bad) in [
            ("address", "10.0.0.1", "10.0.0.256"),
            ("address", "fd00::1", "host-1"),
            ("host", "host-1.lab", "10.0.0.300"),
            ("host", "10.0.0.1", "a b"),
            ("netmask", "255.255.240.0", "255.0.255.0"),
            ("netmask", "255.255.255.255", "0.0.0.0"),
            ("cidr", "10.0.0.0/24", "10.0.0.0/33"),
            ("cidr", "10.0.0.0/24,10.1.0.0/24", "10.0.0.0"),
            ("mac", "fa:00:1b:2c:3d:4e", "fa:00:1b:2c:3d"),
            ("image-url", "file:///i.qcow2", "file://i.qcow2"),
            ("image-url", "http://h/i", "htp://h/i"),
            ("directory", "/zstack_ps", "zstack_ps"),
            ("nfs", "10.0.0.1:/export", "10.0.0.1/export"),
            ("web-url", "https://h/x", "h/x"),
        ] {
            assert!(is_of(format, good), "{format} {good}");
            assert!(!is_of(format, bad), "{format} {bad}");
        }
    }
}
