//! Reading request lines as the servlet container does, before any API is looked up.

use super::answer::Answer;

/// The maximum number of query parameters; the container drops the others (T6).
const MAX_PARAMETERS: usize = 1000;

/// A request target, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path below the context, such as `/v1/zones`.
    pub(super) path: String,
    /// The query string's parameters, in order.
    pub(super) query: Vec<(String, String)>,
}

impl Target {
    /// Reads a raw target such as `/zstack/v1/zones?q=name%3Dlab`.
    ///
    /// # Errors
    /// A page of the container: 400 for invalid characters and for `%2F` in the path (D1, T3), 404 for a path outside
    /// the context.
    pub(super) fn read(raw: &str, context: &str) -> Result<Target, Answer> {
        if raw.bytes().any(|byte| !(0x21..=0x7e).contains(&byte) || b"<>{}|\\^[]\"`".contains(&byte)) {
            return Err(Answer::page(400));
        }
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        if !path.starts_with('/') || path.to_ascii_lowercase().contains("%2f") {
            return Err(Answer::page(400));
        }
        let path = decode(path, false).ok_or_else(|| Answer::page(400))?;
        let below = path.strip_prefix(context).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let below = below.ok_or_else(|| Answer::page(404))?;
        if below != "/v1" && !below.starts_with("/v1/") {
            return Err(Answer::page(404));
        }
        Ok(Target { path: below.to_owned(), query: read_query(query) })
    }

    /// The first value of a query parameter.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a query string. A parameter with a broken escape is dropped silently (T3).
fn read_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .take(MAX_PARAMETERS)
        .filter_map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name, true)?, decode(value, true)?);
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}

/// Decodes percent escapes, and `+` as a space in query strings; nothing for a broken escape.
fn decode(text: &str, is_query: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if is_query => out.push(b' '),
            byte => out.push(byte),
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// Decodes a body. Without a charset the container reads ISO-8859-1, which damages text that is not ASCII (T2).
pub(super) fn read_body(body: &[u8], content_type: Option<&str>) -> String {
    let charset = content_type
        .and_then(|value| {
            value.split(';').skip(1).find_map(|part| {
                let (name, charset) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("charset").then(|| charset.trim().trim_matches('"').to_owned())
            })
        })
        .unwrap_or_default();
    if charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8") {
        String::from_utf8_lossy(body).into_owned()
    } else {
        body.iter().map(|byte| char::from(*byte)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<Target, u16> {
        Target::read(raw, "/zstack").map_err(|answer| answer.status)
    }

    #[test]
    fn targets_are_decoded_as_by_the_container() {
        let target = read("/zstack/v1/zones?q=name~%3D%25a%20b&q=x+y%2Bz&limit=").expect("a good target");
        assert_eq!(target.path, "/v1/zones");
        assert_eq!(target.all("q").collect::<Vec<_>>(), ["name~=%a b", "x y+z"]);
        assert_eq!(target.first("limit"), Some(""));
        assert_eq!(target.first("start"), None);
    }

    #[test]
    fn a_broken_escape_drops_its_parameter() {
        let target = read("/zstack/v1/zones?q=name~=%foo%&limit=1").expect("a good target");
        assert_eq!(target.query, [("limit".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn the_container_refuses_raw_characters_and_encoded_slashes() {
        for raw in
            ["/zstack/v1/zones?q=a|b", "/zstack/v1/zones?q=[a]", "/zstack/v1/zones/a%2Fb", "/zstack/v1/zones/%zz"]
        {
            assert_eq!(read(raw), Err(400), "{raw}");
        }
    }

    #[test]
    fn paths_outside_the_context_are_not_found() {
        for raw in ["/", "/v1/zones", "/zstackv1/zones", "/zstack", "/zstack/v11/zones", "/other/v1/zones"] {
            assert_eq!(read(raw), Err(404), "{raw}");
        }
        assert_eq!(Target::read("/v1/zones", "").map(|target| target.path), Ok("/v1/zones".to_owned()));
    }

    #[test]
    fn bodies_without_a_charset_are_damaged() {
        let body = "Zürich".as_bytes();
        assert_eq!(read_body(body, Some("application/json; charset=utf-8")), "Zürich");
        assert_eq!(read_body(body, Some("application/json;charset=\"UTF-8\"")), "Zürich");
        assert_eq!(read_body(body, Some("application/json")), "ZÃ¼rich");
        assert_eq!(read_body(b"lab", None), "lab");
    }
}
