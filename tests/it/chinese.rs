//! Help and hints in the language of the user; what programs read is the same in every language.

use crate::harness::{Home, Run};
use crate::terminal::{CTRL_C, CTRL_D, ENTER, TAB, Terminal};

const CHINESE: (&str, &str) = ("LANG", "zh_CN.UTF-8");

fn chinese(home: &Home, words: &[&str]) -> Run {
    home.run(words).variable(CHINESE.0, CHINESE.1)
}

#[test]
fn the_locale_and_a_variable_choose_the_language_of_help() {
    let home = Home::new();
    let first_line = |run: Run| run.succeeds().out().lines().next().map(str::to_owned);
    let query = || home.run(["help", "query"]);
    assert_eq!(first_line(query().variable("LANG", "zh_CN.UTF-8")).as_deref(), Some("查询"));
    assert_eq!(first_line(query().variable("LC_ALL", "zh_CN")).as_deref(), Some("查询"));
    assert_eq!(first_line(query().variable("ZSTACK_LANG", "zh_CN")).as_deref(), Some("查询"));
    let english = query().variable("LANG", "zh_CN.UTF-8").variable("ZSTACK_LANG", "en");
    assert_eq!(first_line(english).as_deref(), Some("QUERIES"));
}

#[test]
fn the_help_of_the_program_is_chinese() {
    let home = Home::new();
    let help = chinese(&home, &["--help"]).succeeds().out();
    for part in [
        "用法： zstack-cli [OPTIONS]",
        "\n参数：\n",
        "API 及其参数，或命令",
        "\n节点：\n",
        "管理节点；默认 localhost",
        "\n命令：\n",
        "\n环境变量：\n",
        "\n退出码：0 成功",
    ] {
        assert!(help.contains(part), "{part:?} is missing in\n{help}");
    }
    // Only names, examples and what the reader types is English.
    for line in help.lines().filter(|line| line.starts_with("  -")) {
        assert!(!line.is_ascii(), "{line}");
    }
    let login = chinese(&home, &["login", "--help"]).succeeds().out();
    assert!(login.starts_with("登录并建立会话") && login.contains("\n选项：\n"), "{login}");
    // The English help has none of it.
    assert!(home.run(["--help"]).succeeds().out().is_ascii());
}

#[test]
fn notes_on_parameters_are_in_both_languages() {
    let home = Home::new();
    let row = |page: &str, name: &str| {
        page.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    let page = home.run(["help", "CreateVmInstance"]).succeeds().out();
    assert!(row(&page, "memorySize=").contains("bytes, such as 2G;"), "{page}");
    let page = chinese(&home, &["help", "CreateVmInstance"]).succeeds().out();
    assert!(row(&page, "memorySize=").contains("字节，如 2G；不用计算规格时必填"), "{page}");
    assert!(page.contains("\n操作；异步：程序等待其任务完成；需要会话。\n"), "{page}");
    assert!(page.contains("\n参数（* 为必填）\n") && page.contains("UUID 取自 QueryImage"), "{page}");
}

#[test]
fn hints_are_chinese_for_people_and_english_for_programs() {
    let home = Home::with_cloud();
    let words = ["--sandbox", "QueryZone", "nmae=lab"];
    chinese(&home, &words)
        .fails(1)
        .stderr("error: QueryZone has no queryable field nmae\n  提示：您要找的是 `name` 吗？\n");
    let in_json: Vec<&str> = words.into_iter().chain(["--errors", "json"]).collect();
    let english = home.run(&in_json).fails(1).err();
    assert!(english.contains("did you mean `name`?"), "{english}");
    assert_eq!(chinese(&home, &in_json).fails(1).err(), english);
}

#[test]
fn what_programs_read_is_the_same_in_every_language() {
    let home = Home::with_cloud();
    for words in [
        &["--sandbox", "QueryZone", "fields=uuid,name"][..],
        &["--sandbox", "QueryZone", "-o", "table"],
        &["catalog", "show", "QueryZone"],
        &["complete", "CreateVmInstance "],
        &["completions", "zsh"],
        &["man"],
        &["--version"],
    ] {
        let english = home.run(words).succeeds().out();
        assert!(chinese(&home, words).succeeds().out() == english, "{words:?}");
    }
}

#[test]
fn the_prompt_speaks_chinese() {
    let home = Home::with_cloud();
    let options = ["--sandbox", "--color", "never"];
    let terminal = Terminal::shell_with(&home, &options, &[CHINESE]);
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(&format!("CreateVmInstance {TAB}"));
    terminal.sees("必填，文本");
    // The first one closes the menu.
    terminal.keys(CTRL_C);
    terminal.until_gone("必填，文本");
    terminal.keys(CTRL_C);
    terminal.prompt("admin@sandbox >>>");
    terminal.line("StopVmInstance uuid=web-1");
    terminal.sees("正在运行的业务会中断。");
    terminal.sees("确认停止？[y/N]");
    terminal.keys(&format!("n{ENTER}"));
    terminal.prompt("admin@sandbox >>>");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.ends().1, Some(0));
}
