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
    assert!(screen_of(&home, &["help", "exit-codes"], &told).contains("LESS is RX"));
    let own = [told[0], ("LESS", "FS")];
    assert!(screen_of(&home, &["help", "exit-codes"], &own).contains("LESS is FS"));
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
