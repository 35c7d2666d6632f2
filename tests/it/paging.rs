//! The pager on a terminal: which one, and what becomes of the output where there is none.

use crate::harness::Home;
use crate::terminal::Terminal;

/// Runs a command whose output does not fit, and gives the screen at its end.
fn screen_of(home: &Home, words: &[&str], variables: &[(&str, &str)]) -> String {
    let terminal = Terminal::run_with(home, (80, 12), env!("CARGO_BIN_EXE_zstack-cli"), words, variables);
    let (screen, code) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    screen
}

/// The last line of the page that the tests print.
const LAST: &str = "130  interrupted";

#[test]
fn without_its_pager_the_output_is_printed() {
    let home = Home::new();
    let path = home.path().join("no-pager");
    std::fs::write(&path, "").expect("written");
    for program in ["nosuchpager", path.to_str().expect("text")] {
        let screen = screen_of(&home, &["help", "exit-codes"], &[("PAGER", program)]);
        assert!(screen.contains(LAST), "{screen}");
        assert!(screen.contains("the pager cannot be run: "), "{screen}");
    }
    // Without a shell there is no pager either.
    let screen = screen_of(&home, &["help", "exit-codes"], &[("PATH", "/nonexistent")]);
    assert!(screen.contains(LAST) && screen.contains("the pager cannot be run: less"), "{screen}");
}

#[test]
fn the_pager_and_its_options_are_those_of_the_user() {
    let home = Home::new();
    let told = [("PAGER", "cat > /dev/null; echo LESS is $LESS")];
    assert!(screen_of(&home, &["help", "exit-codes"], &told).contains("LESS is -R -X"));
    let own = [told[0], ("LESS", "FS")];
    assert!(screen_of(&home, &["help", "exit-codes"], &own).contains("LESS is -R FS"));
}

#[test]
fn a_wide_table_is_scrolled_sideways() {
    let home = Home::with_cloud();
    let told = [("PAGER", "cat > paged; echo LESS is $LESS")];
    // Few rows, but long ones.
    assert!(screen_of(&home, &["--sandbox", "QueryHost", "-o", "wide", "limit=2"], &told).contains("LESS is -RS -X"));
    let paged = std::fs::read_to_string(home.path().join("paged")).expect("it was paged");
    let heading = paged.lines().next().unwrap_or_default();
    assert!(heading.contains("name") && heading.contains("lastOpDate"), "{paged}");
    assert_eq!(paged.lines().count(), 4, "{paged}");
    // A table that is as wide as the terminal is not.
    let table = screen_of(&home, &["--sandbox", "QueryHost", "limit=2"], &told);
    assert!(table.contains("host-1") && !table.contains("LESS"), "{table}");
}

#[test]
fn the_manual_is_read_and_not_its_source() {
    let home = Home::new();
    let told = [("PAGER", "head -n 2")];
    let screen = screen_of(&home, &["man"], &told);
    assert!(screen.starts_with("NAME\n    zstack-cli - "), "{screen}");
    home.run(["man"]).succeeds().stdout_has(".SH NAME\n");
}

#[test]
fn a_context_names_a_pager_and_the_environment_another() {
    let home = Home::new();
    home.run(["context", "set", "lab", "--url", "http://10.0.0.5:8080/zstack", "pager=cat > paged"]).succeeds();
    home.run(["context", "use", "lab"]).succeeds();
    let screen = screen_of(&home, &["help", "exit-codes"], &[]);
    assert!(!screen.contains(LAST), "{screen}");
    let paged = std::fs::read_to_string(home.path().join("paged")).expect("it was paged");
    assert!(paged.contains(LAST), "{paged}");
    let environment = [("PAGER", "cat > /dev/null; echo another")];
    assert!(screen_of(&home, &["help", "exit-codes"], &environment).contains("another"));
    for words in [&["help", "exit-codes", "--no-pager"][..], &["help", "exit-codes"]] {
        let screen = screen_of(&home, words, &environment);
        assert!(screen.contains(LAST) && !screen.contains("another"), "{screen}");
        home.run(["context", "set", "lab", "pager=off"]).succeeds();
    }
}
