//! Indexes the catalog files under `src/catalog/data`.
//!
//! The files stay the text they are, but for blanks: each API, inventory, struct and enum is one line of JSON. What is
//! compiled in beside that text is where each line lies, sorted by name, so that looking one entry up
//! decodes one line and starting the program decodes none. The tables hold numbers only (no pointers),
//! which keeps them out of the work that the loader does at every start.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Bits of an index entry; `src/catalog/index.rs` reads them back.
const FLAG_QUERY: u16 = 1 << 8;
const FLAG_SESSION: u16 = 1 << 9;
const FLAG_ASYNC: u16 = 1 << 10;
const FLAG_DEPRECATED: u16 = 1 << 11;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("src/catalog/data");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    link();

    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("zstack-") && name.ends_with(".json"))
    });
    files.sort();

    let mut versions = Vec::new();
    for file in &files {
        versions.push(index_file(file)?);
    }
    // The newest version comes first.
    versions.sort_by(|a, b| b.0.cmp(&a.0));

    let mut code = String::from("pub(super) static VERSIONS: &[Data] = &[\n");
    for (_, text) in &versions {
        code.push_str(text);
    }
    code.push_str("];\n");
    let target = Path::new(&env::var("OUT_DIR")?).join("catalog_index.rs");
    fs::write(target, code)?;
    Ok(())
}

/// Has the program linked so that starting it is nearly all the system's own work. Short commands take about as long
/// as the loader does, so it is given less to do.
fn link() {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    let is_native = env::var("HOST") == env::var("TARGET");
    if target("OS") != "linux" || target("ENV") != "gnu" || is_static || !is_native {
        return;
    }
    // At a fixed address the loader need not correct 17,000 pointers. Stack, heap and libraries stay at random ones.
    println!("cargo::rustc-link-arg-bins=-no-pie");
    println!("cargo::rerun-if-env-changed=CC");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let asked = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output();
    let path = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    // A compiler that has none repeats the name. What unwinds the stack is then loaded at every start.
    if Path::new(&path).is_absolute() && Path::new(&path).exists() {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// The version as numbers that sort, and the `Data { .. }` expression of one file.
fn index_file(path: &Path) -> Result<(Vec<u32>, String), Box<dyn Error>> {
    let text = with_observed(&without_blanks(&fs::read_to_string(path)?), path)?;
    let compact = Path::new(&env::var("OUT_DIR")?).join(path.file_name().unwrap_or_default());
    fs::write(&compact, &text)?;
    let whole: Value = serde_json::from_str(&text)?;
    let version = whole["zstack"].as_str().ok_or("no \"zstack\" version in the catalog")?.to_owned();

    let mut code = String::new();
    writeln!(code, "Data {{")?;
    writeln!(code, "    version: {version:?},")?;
    writeln!(code, "    text: include_str!({compact:?}),")?;

    let mut apis: Vec<(String, String)> = Vec::new();
    let mut tables: Vec<(&str, Vec<(String, String)>)> =
        vec![("inventories", Vec::new()), ("structs", Vec::new()), ("enums", Vec::new())];
    let mut section = String::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let body = line.trim_end().trim_end_matches(',');
        if let Some(name) = body.strip_suffix(":[").or_else(|| body.strip_suffix(":{")) {
            section = name.trim().trim_matches('"').to_owned();
        } else if section == "apis" && body.starts_with('{') && body.len() > 1 {
            apis.push(api_entry(body, start)?);
        } else if let Some((_, rows)) = tables.iter_mut().find(|(name, _)| *name == section)
            && body.starts_with('"')
        {
            let (name, entry) = keyed_entry(body, start)?;
            rows.push((name, entry));
        }
    }

    let count = |key: &str| whole[key].as_array().map(Vec::len).or(whole[key].as_object().map(|map| map.len()));
    if Some(apis.len()) != count("apis") {
        return Err(format!("{}: not one API per line", path.display()).into());
    }
    apis.sort();
    writeln!(code, "    apis: &[{}],", join(&apis))?;
    for (name, rows) in &mut tables {
        if Some(rows.len()) != count(name) {
            return Err(format!("{}: not one entry of {name} per line", path.display()).into());
        }
        rows.sort();
        writeln!(code, "    {name}: &[{}],", join(rows))?;
    }
    writeln!(code, "}},")?;

    let numbers = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    Ok((numbers, code))
}

/// JSON without the blanks between its tokens, a tenth of it. Line ends stay.
fn without_blanks(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            in_string = c == '"';
            if c == ' ' {
                continue;
            }
        }
        compact.push(c);
    }
    compact
}

/// Puts what `observed.json` says of an inventory, and of those that it specialises, at the head of its line.
fn with_observed(text: &str, path: &Path) -> Result<String, Box<dyn Error>> {
    let observed: Value = serde_json::from_str(&fs::read_to_string(path.with_file_name("observed.json"))?)?;
    let whole: Value = serde_json::from_str(text)?;
    let inventories = &whole["inventories"];
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let name = line.strip_prefix('"').and_then(|rest| rest.split_once("\":{\"fields\":")).map(|(name, _)| name);
        let Some(name) = name.filter(|name| inventories[*name].is_object()) else {
            out.push_str(line);
            continue;
        };
        let mut family = vec![name];
        let mut next = 0;
        while let Some(own) = family.get(next).map(|name| &inventories[*name]) {
            let parents = own["parents"].as_array().into_iter().flatten().map(|parent| &parent["inventory"]);
            for general in parents.chain([&own["extends"]]).filter_map(Value::as_str) {
                if !family.contains(&general) {
                    family.push(general);
                }
            }
            next += 1;
        }
        let (head, rest) = line.split_at(name.len() + 4);
        out.push_str(head);
        for key in ["unselectable", "unsortable", "broken"] {
            let said = family.iter().filter_map(|name| observed[*name][key].as_array()).flatten();
            let mut names: Vec<&str> = said.filter_map(Value::as_str).collect();
            // A special inventory need not have all that a general one has.
            names.retain(|name| name.starts_with("__") || line.contains(&format!("\"{name}\"")));
            names.sort_unstable();
            names.dedup();
            if !names.is_empty() {
                write!(out, "\"{key}\":{},", serde_json::to_string(&names)?)?;
            }
        }
        out.push_str(rest);
    }
    Ok(out)
}

fn join(rows: &[(String, String)]) -> String {
    rows.iter().map(|(_, entry)| entry.as_str()).collect()
}

/// `ApiEntry` of one line: where it lies, and its name, verb, path and flags.
fn api_entry(body: &str, start: usize) -> Result<(String, String), Box<dyn Error>> {
    let api: Value = serde_json::from_str(body)?;
    let text = |key: &str| api[key].as_str().ok_or_else(|| format!("an API without {key}: {body:.60}"));
    let (name, method, path) = (text("name")?, text("method")?, text("path")?);
    let verb = ["GET", "POST", "PUT", "DELETE"]
        .iter()
        .position(|known| *known == method)
        .ok_or_else(|| format!("{name}: unknown verb {method}"))?;
    let mut flags = u16::try_from(verb)?;
    for (key, flag) in
        [("query", FLAG_QUERY), ("session", FLAG_SESSION), ("async", FLAG_ASYNC), ("deprecated", FLAG_DEPRECATED)]
    {
        if api[key].as_bool() == Some(true) {
            flags |= flag;
        }
    }
    let place = |value: &str| body.find(&format!("\"{value}\"")).map(|at| at + 1).ok_or("moved text");
    let entry = format!(
        "ApiEntry{{start:{start},len:{},name:({},{}),path:({},{}),flags:{flags}}},",
        body.len(),
        place(name)?,
        name.len(),
        place(path)?,
        path.len(),
    );
    Ok((name.to_owned(), entry))
}

/// `Entry` of a line `"Name":value`: where the name and the value lie.
fn keyed_entry(body: &str, start: usize) -> Result<(String, String), Box<dyn Error>> {
    let (name, value) = body[1..].split_once("\":").ok_or_else(|| format!("not `\"name\":value`: {body:.60}"))?;
    let entry = format!(
        "Entry{{name:({},{}),value:({},{})}},",
        start + 1,
        name.len(),
        start + body.len() - value.len(),
        value.len()
    );
    Ok((name.to_owned(), entry))
}
