//! Signs requests with an access key (A11).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use ring::hmac;

use super::answer::Understood;
use super::call::JobUuid;
use super::caller::Client;
use super::error::Error;
use super::wire::{HeaderText, TransportError};
use crate::catalog::Method;
use crate::json;
use crate::plan::{PathPart, Request};
use crate::secret::{MASK, Secret};

/// An access key, which signs requests instead of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public part.
    pub id: String,
    /// Its secret part.
    pub secret: Secret,
    /// The time zone of the node's clock: the node compares the digits of dates and ignores their zone.
    pub zone: NodeZone,
}

/// The time zone of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeZone(TimeZone);

impl NodeZone {
    /// The zone of this machine.
    pub fn of_this_machine() -> NodeZone {
        NodeZone(TimeZone::system())
    }

    /// A zone by its name (`Asia/Shanghai`, `UTC`) or its offset from UTC (`+08:00`).
    pub fn parse(text: &str) -> Option<NodeZone> {
        let text = text.trim();
        if let Some((hours, minutes)) = text
            .get(1..)
            .filter(|_| text.starts_with(['+', '-']))
            .map(|rest| rest.split_once(':').unwrap_or((rest, "0")))
        {
            let sign = if text.starts_with('-') { -1 } else { 1 };
            let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
            if !(0..=18).contains(&hours) || !(0..60).contains(&minutes) {
                return None;
            }
            return Offset::from_seconds(sign * (hours * 3600 + minutes * 60))
                .ok()
                .map(|offset| NodeZone(offset.to_time_zone()));
        }
        TimeZone::get(text).ok().map(NodeZone)
    }

    /// What a clock there shows now.
    pub fn now(&self) -> DateTime {
        Timestamp::now().to_zoned(self.0.clone()).datetime()
    }

    /// The date in the format of the node: `Tue, 04 Mar 2025 14:10:07 Asia/Shanghai`.
    fn date(&self, unix_seconds: i64) -> String {
        let moment = Timestamp::from_second(unix_seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.0.clone());
        let zone = match self.0.iana_name() {
            Some(name) => name.to_owned(),
            None => format!("GMT{}", moment.strftime("%:z")),
        };
        format!("{} {zone}", moment.strftime("%a, %d %b %Y %H:%M:%S"))
    }
}

impl AccessKey {
    /// The headers that sign a request. `time` is that of the node's clock, in seconds since 1970.
    pub(super) fn headers(&self, request: &Request, time: i64) -> [(&'static str, HeaderText); 2] {
        let date = self.zone.date(time);
        let mut path = String::from("/v1");
        for part in &request.path {
            path.push_str(match part {
                PathPart::Fixed(text) => text,
                PathPart::Variable(value) => &value.text,
            });
        }
        [("Authorization", self.authorization(request.method, &date, &path)), ("Date", HeaderText::plain(date))]
    }

    /// The `Authorization` value for a request: `ZStack <id>:<signature>`, the signature being the Base64 of
    /// HMAC-SHA1 over method, date and path, each on a line. The path is `/v1/...`, not encoded, without a query.
    fn authorization(&self, method: Method, date: &str, path: &str) -> HeaderText {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.expose().as_bytes());
        let signature = hmac::sign(&key, format!("{method}\n{date}\n{path}").as_bytes());
        let start = format!("ZStack {}:", self.id);
        HeaderText::secret(format!("{start}{}", BASE64_STANDARD.encode(signature)), format!("{start}{MASK}"))
    }
}

impl Client {
    /// Asks the node for its time, unless it is known already.
    pub(super) fn learn_clock_skew(&mut self) -> Result<(), Error> {
        if self.shared().clock_skew.is_none() {
            let skew = self.ask_clock_skew()?;
            self.shared().clock_skew = Some(skew);
        }
        Ok(())
    }

    /// By how many seconds the node's clock is ahead of this machine's; 0 if the node does not report its time.
    fn ask_clock_skew(&mut self) -> Result<i64, Error> {
        let mut wire = self.plain_get("/management-nodes/actions", std::time::Duration::from_secs(30));
        wire.method = Method::Put;
        wire.body = Some(Secret::new(r#"{"getCurrentTime":{}}"#));
        wire.shown.body = Some(r#"{"getCurrentTime":{}}"#.to_owned());
        wire.headers.push(("Content-Type", HeaderText::plain("application/json; charset=utf-8")));
        wire.headers.push(("X-Job-UUID", HeaderText::plain(JobUuid::fresh().to_string())));
        let answer = match self.exchange(&wire) {
            Ok(answer) => answer,
            Err(TransportError::Interrupted) => return Err(Error::Interrupted { job: None }),
            Err(error) => return Err(self.no_answer(error)),
        };
        let Understood::Result(reader) = answer else { return Ok(0) };
        let Ok(text) = super::call::Reply::of_reader(reader).into_text() else { return Ok(0) };
        let millis = json::member(&text, "currentTime")
            .and_then(|time| json::member(time, "MillionSeconds"))
            .and_then(|text| std::str::from_utf8(text).ok())
            .and_then(|text| text.parse::<f64>().ok());
        let Some(millis) = millis.filter(|millis| (0.0..1e15).contains(millis)) else { return Ok(0) };
        let ours = self.clock.unix_time().as_secs_f64();
        Ok((millis / 1000.0 - ours).round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The zone as a database of time zones has it, which the machine may lack: RFC 8536, no change of the clocks.
    fn shanghai() -> NodeZone {
        let mut file = b"TZif".to_vec();
        file.extend([0; 16]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            file.extend(count.to_be_bytes());
        }
        file.extend((8 * 3600_i32).to_be_bytes());
        file.extend(*b"\0\0CST\0");
        NodeZone(TimeZone::tzif("Asia/Shanghai", &file).expect("a zone"))
    }

    #[test]
    fn dates_are_the_nodes_wall_clock() {
        assert_eq!(shanghai().date(1_741_068_607), "Tue, 04 Mar 2025 14:10:07 Asia/Shanghai");
        assert_eq!(
            NodeZone::parse("+08:00").expect("a zone").date(1_741_068_607),
            "Tue, 04 Mar 2025 14:10:07 GMT+08:00"
        );
        assert_eq!(NodeZone::parse("-3").expect("a zone").date(1_741_068_607), "Tue, 04 Mar 2025 03:10:07 GMT-03:00");
        for text in ["", "+", "+99:00", "+08:70", "Nowhere/Land", "+é"] {
            assert_eq!(NodeZone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn signatures_are_hmac_sha1() {
        let key = AccessKey {
            id: "AKID".into(),
            secret: Secret::new("key"),
            zone: NodeZone::parse("UTC").or_else(|| NodeZone::parse("+00:00")).expect("a zone"),
        };
        let header = key.authorization(Method::Get, "Tue, 04 Mar 2025 14:10:07 Asia/Shanghai", "/v1/zones");
        // Reference: `printf 'GET\nTue, ...\n/v1/zones' | openssl dgst -sha1 -hmac key -binary | base64`.
        assert_eq!(header.expose(), "ZStack AKID:HsXx6NuYsyXdrV/hcrOiA6YB6lE=");
        assert_eq!(format!("{header:?}"), "\"ZStack AKID:******\"");
        assert!(!format!("{key:?}").contains("\"key\""));
    }
}
