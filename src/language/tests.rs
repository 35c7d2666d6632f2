use super::*;

#[test]
fn inserted_parts_stay_as_they_are() {
    let say = |text: &str| Language::Chinese.say(text).into_owned();
    assert_eq!(say("did you mean `name`?"), "您要找的是 `name` 吗？");
    assert_eq!(
        say("versions up to 4.8.0 had it; did you mean `QueryZone`?"),
        "4.8.0 及以前的版本有此 API；您要找的是 `QueryZone` 吗？"
    );
    assert_eq!(say("no such text"), "no such text");
    assert_eq!(Language::English.say("Leave the shell"), "Leave the shell");
    assert_eq!(Language::Chinese.say_lines("  Leave the shell\n\n  x"), "  退出 shell\n\n  x");
}

#[test]
fn a_locale_has_a_language() {
    for (name, language) in [
        ("zh_CN.UTF-8", Language::Chinese),
        ("ZH", Language::Chinese),
        ("en_US.UTF-8", Language::English),
        ("C", Language::English),
        ("é", Language::English),
    ] {
        assert_eq!(Language::of_locale(name), language, "{name}");
    }
}

#[test]
fn every_line_of_the_text_file_can_be_looked_up() {
    let mut seen = HashMap::new();
    for line in CHINESE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (english, chinese) = line.split_once('\t').unwrap_or_else(|| panic!("no tab: {line}"));
        assert!(!chinese.is_empty() && !chinese.contains('\t'), "{line}");
        assert!(
            chinese.matches("{}").count() <= english.matches("{}").count(),
            "more parts than the English text: {line}"
        );
        assert_eq!(seen.insert(english, chinese), None, "twice: {line}");
        // A text of parts alone would stand for any text.
        assert!(english.replace("{}", "").trim().chars().count() > 1, "{line}");
    }
}
