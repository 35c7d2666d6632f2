//! Masked text holds no secret.

use proptest::prelude::*;

use crate::catalog::Catalog;
use crate::plan::{Options, Plan, plan};
use crate::render::{Format, Shape, View, render};
use crate::secret::{Secrets, mask_command, mask_json, mask_text, mask_url, member_is_secret};
use crate::syntax::{Command, quote_word};

/// A secret: no text that stands anywhere else, with characters that matter to some format around it.
fn secret() -> impl Strategy<Value = (String, String)> {
    ("[ '\"\\\\@:/,;=&%#\\[\\]{}$!é-]{0,4}", "hunter2[a-z0-9]{0,6}", "[ '\"\\\\@:/,;=&%#\\[\\]{}$!é-]{0,4}")
        .prop_map(|(before, core, after)| (format!("{before}{core}{after}"), core))
}

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "password",
        "oldPassword",
        "sshPassword",
        "consolePassword",
        "AccessKeySecret",
        "clientSecret",
        "hmacToken",
        "privateKey",
        "sessionUuid",
    ])
}

/// JSON around a member: deeper, behind others, within a text.
fn around(member: String, depth: usize) -> String {
    (0..depth).fold(member, |inner, level| match level % 3 {
        0 => format!("{{\"name\":\"a\\\"b\",{inner}}}"),
        1 => format!("\"rows\": [1.0E2, {inner}, null]"),
        _ => format!("{{\"x\": {{}}, {inner}, \"y\": []}}"),
    })
}

fn json_string(text: &str) -> String {
    let mut out = String::new();
    crate::json::write_string(&mut out, text);
    out
}

proptest! {
    #![proptest_config(crate::properties::config(128))]

    #[test]
    fn no_command_line_keeps_its_secret(
        (secret, core) in secret(), name in name(), operator in "=|!=|\\?=|~=", quoted in any::<bool>(), open in "|x='a b |x=\"",
    ) {
        // That would name a file, which is no secret.
        prop_assume!(!secret.trim_start_matches('\'').starts_with('@'));
        let word = format!("{name}{operator}{secret}");
        // What is typed without quotes may fall apart into words; the first of them is the value.
        let word = if quoted { quote_word(&word) } else { format!("{name}{operator}'{}'", secret.replace('\'', "")) };
        let line = format!("UpdateHost uuid=1 {open}{word} name=b");
        let shown = mask_command(&line);
        prop_assert!(!shown.contains(&core), "{} became {}", line, shown);
    }

    #[test]
    fn no_json_keeps_its_secret((secret, core) in secret(), name in name(), depth in 0..4usize, cut in 0..200usize) {
        let member = format!("\"{name}\":{}", json_string(&secret));
        let text = format!("{{{}}}", around(member, depth * 2).trim_start_matches('{').trim_end_matches('}'));
        let shown = mask_json(text.as_bytes());
        prop_assert!(!shown.contains(&core), "{} became {}", text, shown);
        // Cut anywhere, as a connection may be.
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let shown = mask_json(&text.as_bytes()[..cut]);
        prop_assert!(!shown.contains("hunter2"), "{} became {}", &text[..cut], shown);
        // JSON in a text in JSON.
        let outer = format!("{{\"jobData\":{}}}", json_string(&text));
        let shown = mask_json(outer.as_bytes());
        prop_assert!(!shown.contains(&core), "{} became {}", outer, shown);
    }

    #[test]
    fn no_url_and_no_sentence_keeps_its_secret(core in "hunter2[a-z0-9/@,:]{0,6}", name in name()) {
        for text in [
            mask_url(&format!("https://root:{core}@host:8443/zstack")),
            mask_text(&format!("see https://root:{core}@host:8443/zstack now")),
            mask_text(&format!("failed with {name}={core}, retry")),
            mask_text(&format!("failed with {name}: {core} and so on")),
            mask_text(&format!("Authorization: OAuth {core}")),
        ] {
            prop_assert!(!text.contains("hunter2"), "{}", text);
        }
    }

    #[test]
    fn no_request_is_shown_with_its_secret((secret, core) in secret()) {
        for words in [
            vec!["LogInByAccount".to_owned(), "accountName=admin".to_owned(), format!("password={secret}")],
            vec!["UpdateKVMHost".to_owned(), "uuid=1ab3b836a88342e1bbc1b1a17d092f0f".to_owned(), format!("password={secret}")],
            vec!["LogOut".to_owned(), format!("sessionUuid={}", core)],
        ] {
            let (line, words) = Command::words_from_args(&words);
            let command = Command::from_words(&line, &words).expect("it parses").expect("a command");
            let Ok(Plan::Call(request)) = plan(&command, Catalog::newest(), &Options::default()) else { continue };
            let shown = format!(
                "{} {:?} {request:?}",
                request.target(Secrets::Masked),
                request.body_text(Secrets::Masked)
            );
            prop_assert!(!shown.contains(&core), "{}", shown);
        }
    }

    #[test]
    fn no_table_shows_a_secret((secret, core) in secret(), name in name(), nested in any::<bool>()) {
        let member = format!("\"{name}\":{}", json_string(&secret));
        let row = if nested {
            format!("{{\"uuid\":\"1\",\"mons\":[{{\"hostname\":\"h\",{member}}}]}}")
        } else {
            format!("{{\"uuid\":\"1\",{member}}}")
        };
        for text in [format!("{{\"inventories\":[{row},{row}]}}"), format!("{{\"inventory\":{row}}}")] {
            for format in [Format::Table, Format::Wide, Format::Vertical] {
                let view = View { is_secret: member_is_secret, ..View::new(format) };
                let mut out = Vec::new();
                let mut scanner = crate::json::Scanner::new(text.as_bytes());
                render(&mut scanner, &Shape::default(), &view, &mut out).expect("it is a reply");
                let shown = String::from_utf8_lossy(&out).into_owned();
                prop_assert!(!shown.contains(&core), "{}", shown);
            }
        }
    }
}
