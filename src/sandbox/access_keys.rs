//! Requests signed with an access key instead of naming a session (A11).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ring::hmac;

use super::answer::{Answer, Failure};
use super::calls::Caller;
use super::clock::UnixMillis;
use super::node::{Node, ReceivedRequest};
use super::offer::Edition;
use super::store::Scalar;
use super::target::Target;

/// How far a request's clock may be from the node's, in seconds.
const MAX_SKEW: i64 = 15 * 60;

/// The credentials of a request.
pub(super) enum Credential {
    /// The uuid of a session.
    Session(String),
    /// A signature by an access key.
    Signed(Signed),
}

/// A signature and the signed text.
pub(super) struct Signed {
    key_id: String,
    signature: String,
    text: String,
}

impl Credential {
    /// Reads the `Authorization` header, and the `Date` of a signed request.
    ///
    /// # Errors
    /// 400 text where a header is absent or malformed (A1, A11), 403 text where the clocks differ too much; a
    /// failure on a node whose edition has no access keys (R19).
    pub(super) fn read(
        received: &ReceivedRequest,
        target: &Target,
        now: UnixMillis,
        edition: Edition,
    ) -> Result<Credential, Answer> {
        let refused = |text: &str| Answer::text(400, text);
        let header = received.authorization.as_deref().ok_or_else(|| refused("missing header 'Authorization'"))?;
        match header.split_once(' ').unwrap_or((header, "")) {
            ("OAuth", uuid) => Ok(Credential::Session(uuid.trim().to_owned())),
            ("ZStack", _) if edition == Edition::Open => {
                Err(Answer::failed(&Failure::internal("no handler for RestAuthenticationType[ACCESS_KEY]")))
            }
            ("ZStack", rest) => {
                let (key_id, signature) = rest
                    .trim()
                    .split_once(':')
                    .filter(|(_, signature)| !signature.contains(':'))
                    .ok_or_else(|| refused("the access key must be '<id>:<signature>'"))?;
                let date = received.date.as_deref().ok_or_else(|| refused("missing header 'Date'"))?;
                let seconds = read_date(date).ok_or_else(|| refused("malformed header 'Date'"))?;
                // The digits are compared as they are; the zone is ignored.
                if (seconds - now.0.div_euclid(1000)).abs() > MAX_SKEW {
                    return Err(Answer::text(403, "requestTimeTooSkewed"));
                }
                Ok(Credential::Signed(Signed {
                    key_id: key_id.to_owned(),
                    signature: signature.to_owned(),
                    text: format!("{}\n{date}\n{}", received.verb, target.path),
                }))
            }
            _ => Err(refused("the header 'Authorization' must begin with 'OAuth'")),
        }
    }
}

impl Node {
    /// The caller that a credential identifies.
    ///
    /// # Errors
    /// `ID.1001` for a session or an access key that is unknown, disabled or does not match.
    pub(super) fn caller(&self, credential: &Credential) -> Result<Caller, Failure> {
        match credential {
            Credential::Session(uuid) => Ok(Caller::of(&self.authenticate(uuid)?)),
            Credential::Signed(signed) => self.signer(signed),
        }
    }

    fn signer(&self, signed: &Signed) -> Result<Caller, Failure> {
        let wrong = || Failure::new("ID.1001", "the access key is unknown or disabled, or its signature is wrong");
        let keys = self.find("AccessKeyInventory", &[("AccessKeyID", Scalar::from(signed.key_id.as_str()))])?;
        let key = keys.iter().find(|key| key.text("state") == Some("Enabled")).ok_or_else(wrong)?;
        let secret = hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            key.text("AccessKeySecret").unwrap_or_default().as_bytes(),
        );
        let signature = BASE64_STANDARD.decode(&signed.signature).map_err(|_| wrong())?;
        hmac::verify(&secret, signed.text.as_bytes(), &signature).map_err(|_| wrong())?;
        let account = key.text("accountUuid").unwrap_or_default();
        let accounts = self.find("AccountInventory", &[("uuid", Scalar::from(account))])?;
        let is_admin = accounts.first().ok_or_else(wrong)?.text("type") == Some("SystemAdmin");
        Ok(Caller { account: account.to_owned(), is_admin })
    }
}

/// The seconds since 1970 of `Tue, 04 Mar 2025 14:10:07 Asia/Shanghai`, read as UTC, which is the time zone of the
/// node.
fn read_date(text: &str) -> Option<i64> {
    let (date, zone) = text.split_once(", ")?.1.rsplit_once(' ')?;
    let date = DateTime::strptime("%d %b %Y %H:%M:%S", date).ok().filter(|_| !zone.is_empty())?;
    date.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_date_are_read_as_utc() {
        assert_eq!(read_date("Tue, 04 Mar 2025 14:10:07 Asia/Shanghai"), Some(1_741_097_407));
        assert_eq!(read_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(read_date("Thu, 29 Feb 2024 12:34:56 UTC"), Some(1_709_210_096));
        for wrong in [
            "",
            "Tue, 04 Mar 2025 14:10:07",
            "Tue, 04 Mrz 2025 14:10:07 UTC",
            "04 Mar 2025 14:10:07 UTC",
            "Tue, 04 Mar 2025 25:10:07 UTC",
        ] {
            assert_eq!(read_date(wrong), None, "{wrong}");
        }
    }
}
