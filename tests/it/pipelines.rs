//! What scripts make of the JSON with grep, awk, cut, sed and tr: each line prints what it printed behind the original.

use std::process::{Command, Output};

use crate::harness::Home;
use crate::node::{Node, Reply};

/// Runs a line of a Unix shell in which `cli` is the program, with these options.
fn shell(home: &Home, options: &[String], line: &str) -> Output {
    let mut words = vec![env!("CARGO_BIN_EXE_zstack-cli").to_owned()];
    words.extend_from_slice(options);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("cli() {{ {} \"$@\"; }}; {line}", words.join(" ")));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
    command.env("ZSTACK_CLI_HOME", home.path()).env("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37");
    command.output().expect("sh runs")
}

#[test]
fn lines_of_scripts_print_what_they_always_printed() {
    let home = Home::with_cloud();
    let sandbox = ["--sandbox".to_owned()];
    let uuid = "1ab3b836a88342e1bbc1b1a17d092f0f";
    let store = "cli QueryBackupStorage name=image-store";
    for (line, expected) in [
        (format!("{store} | grep uuid | awk '{{print $2}}'"), format!("\"{uuid}\"")),
        (format!("{store} | grep uuid | awk -F'\"' '{{print $4}}'"), uuid.to_owned()),
        (format!("{store} | grep -w uuid | cut -d'\"' -f4"), uuid.to_owned()),
        (format!("{store} fields=uuid | grep '\"uuid\"' | cut -d '\"' -f 4"), uuid.to_owned()),
        (format!("{store} fields=uuid,name | grep uuid | awk '{{print $2}}' | sed 's/[\",]//g'"), uuid.to_owned()),
        (format!("{store} | tr -d ' \",' | grep ^uuid: | cut -d: -f2"), uuid.to_owned()),
        (format!("{store} | sed -n 's/.*\"status\": \"\\(.*\\)\".*/\\1/p'"), "Connected".to_owned()),
        (format!("{store} | grep '\"name\"'"), "            \"name\": \"image-store\",".to_owned()),
        (format!("{store} | grep -A1 totalCapacity | tail -1 | cut -d'\"' -f2"), "type".to_owned()),
        (format!("{store} | grep total | awk '{{print $2}}'"), "9992857976832,".to_owned()),
        (format!("{store} count=true | grep total | awk '{{print $2}}'"), "1".to_owned()),
        (format!("{store} replyWithCount=true | grep '\"total\"' | awk '{{print $2}}'"), "1".to_owned()),
        (format!("{store} replyWithCount=true | tail -3 | head -1"), "    \"success\": true,".to_owned()),
        (format!("{store} | grep success"), "    \"success\": true".to_owned()),
        (format!("{store} | grep -q '\"success\": true' && echo fine"), "fine".to_owned()),
        (format!("{store} | head -2"), "{\n    \"inventories\": [".to_owned()),
        (format!("{store} | tail -1"), "}".to_owned()),
        ("cli QueryBackupStorage fields=uuid | grep -c '\"uuid\"'".to_owned(), "2".to_owned()),
        ("for id in $(cli QueryBackupStorage name=image-store | grep -w uuid | awk -F '\"' '{print $4}'); do cli QueryBackupStorage uuid=$id | grep '\"name\"' | awk -F'\"' '{print $4}'; done".to_owned(), "image-store".to_owned()),
        // The uuid of what was made is the last member of its inventory, and the only one of that name.
        ("u=$(cli CreateZone name=lab | grep uuid | awk '{print $2}' | tr -d '\",'); cli QueryZone uuid=$u fields=name | grep name | cut -d'\"' -f4".to_owned(), "lab".to_owned()),
        ("cli CreateZone name=lab2 | grep -B1 '\"success\"' | head -1".to_owned(), "    },".to_owned()),
    ] {
        let output = shell(&home, &sandbox, &line);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((printed.as_str(), said.as_str()), (format!("{expected}\n").as_str(), ""), "{line}");
    }
}

#[test]
fn a_script_that_searches_for_success_finds_none_in_a_failure() {
    let node = Node::start(|_| Reply::error("SYS.1006", "no space left"));
    let line = "cli CreateZone name=a 2>/dev/null | grep success || echo failed";
    let output = shell(&Home::new(), &node.options(), line);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "failed\n");
    let line = "cli CreateZone name=a 2>/dev/null | grep '\"details\"' | cut -d'\"' -f4";
    let output = shell(&Home::new(), &node.options(), line);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no space left\n");
}

/// The members of a real reply come in any order, `schema` before the rows and `total` before both.
#[test]
fn members_are_sorted_wherever_the_node_puts_them() {
    let row = r#"{"uuid":"u","name":"n","b":{"z":1.073741824E9,"a":[{"d":1,"c":null}]},"_":0,"B":""}"#;
    let sorted = r#"{
    "inventories": [
        {
            "B": "",
            "_": 0,
            "b": {
                "a": [
                    {
                        "c": null,
                        "d": 1
                    }
                ],
                "z": 1.073741824E9
            },
            "name": "n",
            "uuid": "u"
        }
    ],
    "success": true,
    "total": 1
}
"#;
    for reply in [
        format!(r#"{{"total":1,"inventories":[{row}],"schema":{{"inventories[0]":"x"}}}}"#),
        format!(r#"{{"schema":{{"b":1,"a":2}},"total":1,"inventories":[{row}]}}"#),
        format!(r#"{{"schema":{{}},"inventories":[{row}],"total":1,"success":true}}"#),
    ] {
        let node = Node::start(move |_| Reply::ok(reply.clone()));
        let run = |words: &[&str]| {
            let call = [&["QueryZone", "replyWithCount=true"], words].concat();
            Home::new()
                .run_once(node.call(&call))
                .variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
                .succeeds()
        };
        run(&["limit=1"]).stdout(sorted);
        // Also page by page, where the total of the first page is that of all.
        run(&[]).stdout(sorted);
        let line = r#"{"B":"","_":0,"b":{"a":[{"c":null,"d":1}],"z":1.073741824E9},"name":"n","uuid":"u"}"#;
        run(&["-o", "jsonl"]).stdout(&format!("{line}\n"));
        run(&["-o", "json", "--columns", "uuid,name,b.z"]).stdout(
            "{\n    \"inventories\": [\n        {\n            \"b.z\": 1.073741824E9,\n            \"name\": \"n\",\n            \"uuid\": \"u\"\n        }\n    ],\n    \"success\": true,\n    \"total\": 1\n}\n",
        );
        run(&["--jq", ".inventories[0] | keys_unsorted | join(\" \")", "-r"]).stdout("B _ b name uuid\n");
        assert!(
            run(&["-o", "yaml"]).out().starts_with("inventories:\n- B: \"\"\n  _: 0\n  b:\n    a:\n    - c: null\n")
        );
    }
}

/// More rows than are held: they stream, and what comes behind them is still printed.
#[test]
fn long_replies_are_sorted_too() {
    let row = |number: u32| format!(r#"{{"uuid":"{number:032x}","name":"{}"}}"#, "n".repeat(400));
    let rows: Vec<String> = (0..3000).map(row).collect();
    let reply = format!(r#"{{"total":3000,"success":true,"inventories":[{}],"schema":{{}}}}"#, rows.join(","));
    let node = Node::start(move |_| Reply::ok(reply.clone()));
    let done = Home::new()
        .run_once(node.call(&["QueryZone", "limit=3000", "replyWithCount=true"]))
        .variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
        .succeeds();
    let text = done.out();
    assert!(text.starts_with("{\n    \"inventories\": [\n        {\n            \"name\": \"nnn"));
    assert!(text.ends_with("        }\n    ],\n    \"success\": true,\n    \"total\": 3000\n}\n"));
    assert_eq!(done.json()["inventories"].as_array().map(Vec::len), Some(3000));
}

#[test]
fn the_rows_of_each_end_before_its_summary() {
    let node = Node::start(|_| Reply::ok(r#"{"inventories":[{"uuid":"1","name":"x"}]}"#));
    let line = r"printf 'x\ny\n' | cli -o value --columns name each QueryZone name={} 2>&1";
    let printed = String::from_utf8(shell(&Home::new(), &node.options(), line).stdout).expect("UTF-8");
    let (rows, summary) = printed.split_at("x\nx\n".len());
    assert_eq!((rows, summary.starts_with("2 rows: 2 done")), ("x\nx\n", true), "{printed}");
}
