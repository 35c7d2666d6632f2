//! Configuration files: whatever stands in one is read or refused, and a change keeps the rest of it.

use std::cell::RefCell;
use std::fs;

use crate::config::{Contexts, Credentials, Folders, Keeper, Owner, write_private};

thread_local! {
    /// One folder for all inputs: making one for each would take most of the time.
    static HOME: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// Checks one text of `config.toml`, and of a file of credentials.
pub fn check(text: &[u8]) {
    HOME.with_borrow_mut(|home| {
        let home = home.get_or_insert_with(|| tempfile::tempdir().expect("a folder can be made"));
        let folders = Folders::under(home.path());
        check_contexts(text, &folders);
        check_credentials(text, &folders);
    });
}

fn check_contexts(text: &[u8], folders: &Folders) {
    let path = folders.config.join("config.toml");
    fs::write(&path, text).expect("the file can be written");
    let before = Contexts::load(folders);
    if let Err(error) = &before {
        let _ = error.to_string();
    }
    let set = Contexts::set(folders, "new-one", &[("url", Some("https://node.example/zstack"))]);
    let after = fs::read(&path).expect("the file is still there");
    let (Ok(before), Ok(set)) = (&before, &set) else {
        // What cannot be read is left as it is.
        if set.is_err() {
            assert_eq!(after, text, "a change that failed changed the file");
        } else {
            panic!("a file that cannot be read was changed");
        }
        return;
    };
    assert_eq!(Contexts::load(folders).as_ref().ok(), Some(set), "what was written reads back otherwise");
    assert_eq!(set.get("new-one").and_then(|new| new.own.url.as_deref()), Some("https://node.example/zstack"));
    for context in before.all().iter().filter(|context| context.name != "new-one") {
        assert_eq!(set.get(&context.name), Some(context), "another context changed");
    }
    let (text, after) = (String::from_utf8_lossy(text), String::from_utf8_lossy(&after));
    for comment in text.lines().filter(|line| line.starts_with("# ")) {
        assert!(
            after.contains(comment.trim_end()) || text.contains("\"\"\"") || text.contains("'''"),
            "a comment went"
        );
    }
}

fn check_credentials(text: &[u8], folders: &Folders) {
    let path = folders.state.join("credentials").join("context-prod.json");
    write_private(&path, text).expect("the file can be written");
    match Credentials::new(folders, Keeper::Files)
        .load(&Owner::Context("prod".to_owned()), "https://node.example/zstack")
    {
        Ok(Some(entry)) => assert_eq!(entry.url, "https://node.example/zstack"),
        Ok(None) => {}
        // What is damaged may be half a secret.
        Err(error) => assert!(!error.to_string().contains("SECRET"), "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::properties::config(24))]

        #[test]
        fn files_with_anything_in_them_are_read_or_refused(lines in proptest::collection::vec(
            prop_oneof![
                "# \\PC{0,10}",
                "\\[(defaults|contexts\\.[a-z\"]{1,3}|contexts|[a-z.]{0,3})\\]( # x)?",
                "(url|output|context|color|columns|page_size|account|confirm) ?= ?(\"(a|json|http://h/zstack|x,y)\"|true|[0-9]|\\[\\])( # x)?",
                "\\PC{0,10}",
            ],
            0..8,
        )) {
            check(lines.join("\n").as_bytes());
        }
    }

    #[test]
    fn damaged_credentials_are_not_told() {
        check(br#"{"url":"https://node.example/zstack","session":"SECRET","SECRET":"SECRET"}"#);
        check(br#"{"url":"https://node.example/zstack","session":"SECRET"#);
    }
}
