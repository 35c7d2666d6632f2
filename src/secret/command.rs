//! Masks the secrets of a command line before it is written to the history.

use super::known::secrets_in;
use super::mask::MASK;
use super::names::{Secrecy, name_secrecy, secret_of_option};
use super::text::{looks_like_json, mask_text, mask_value};
use super::value::Secret;
use crate::syntax::{commands, definition, lex_with_comments, quote_word};

/// Returns the command line with its secrets masked: `LogInByAccount accountName=admin password=******`.
///
/// Only names decide what is secret, so the secrets of a misspelt API are masked too. Quoting makes no difference, nor
/// does a quote that is not closed. A value read from a file (`password=@/run/secret`, `@-`) is kept, as it is only a
/// path. Words without secrets are unchanged.
pub fn mask_command(line: &str) -> String {
    let mut masker = Masker::default();
    masker.mask_all(line);
    masker.out
}

/// Returns the secrets that [`mask_command`] masks, as far as their ends can be found.
pub(super) fn secrets_of_line(line: &str) -> Vec<Secret> {
    let mut masker = Masker::default();
    masker.mask_all(line);
    masker.hidden
}

/// Masks a line word by word and collects what it masks.
#[derive(Default)]
struct Masker {
    out: String,
    hidden: Vec<Secret>,
}

impl Masker {
    /// Masks the commands of a line.
    fn mask_all(&mut self, line: &str) {
        if lex_with_comments(line).open_quote.is_some()
            && let Some(end) = first_secret_name(line)
        {
            // A stray quote swaps quoted and unquoted text, so the end of the secret cannot be found.
            self.out = format!("{}={MASK}", &line[..end]);
            return;
        }
        let mut at = 0;
        for range in commands(line) {
            let command = &line[range.clone()];
            let inner = range.start + definition(command).map_or(0, |definition| definition.value.start);
            self.out.push_str(&line[at..inner]);
            let is_cut = self.mask(&line[inner..range.end]);
            if is_cut {
                return;
            }
            at = range.end;
        }
        self.out.push_str(&line[at..]);
    }

    /// Masks a command. Returns whether it ended where a secret begins whose end cannot be found.
    fn mask(&mut self, line: &str) -> bool {
        let lexed = lex_with_comments(line);
        let words = &lexed.words;
        let value_is_secret = words.iter().any(|word| names_a_secret_setting(&word.text));
        let is_log_in = words.iter().find(|word| !word.text.starts_with('-')).is_some_and(|word| word.text == "login");
        let mut free_words = 0;
        let mut mask_next = false;
        let mut written = 0;
        for (index, word) in words.iter().enumerate() {
            self.out.push_str(&line[written..word.span.start]);
            written = word.span.end;
            let raw = &line[word.span.clone()];
            let before = |back: usize| index.checked_sub(back).map_or("", |at| words[at].text.as_str());
            let parts = split(&word.text);
            let value = parts.map_or(word.text.as_str(), |(_, _, value)| value);
            if (parts.is_some() || raw.contains(['\'', '"'])) && ends_in_secret_name(value) {
                // A stray quote was closed here in the middle of an assignment, so the end of the secret cannot be
                // found.
                if let Some(end) = first_secret_name(raw) {
                    self.out.push_str(&raw[..end]);
                    self.out.push('=');
                }
                self.out.push_str(MASK);
                return true;
            }
            match parts {
                Some((name, operator, value)) => {
                    mask_next = value.is_empty() && name_secrecy(name) == Secrecy::Whole;
                    // The `value=` of a setting such as `smtp.password`.
                    let name_of_value = if value_is_secret && name == "value" { "password" } else { name };
                    match masked(name_of_value, value) {
                        Some(shown) => {
                            self.hidden.extend(secrets_in(name_of_value, value));
                            self.out.push_str(name);
                            self.out.push_str(operator);
                            self.out.push_str(&quote_word(&shown));
                        }
                        None => self.out.push_str(raw),
                    }
                }
                None if mask_next => {
                    // `password = x`, `password= x` and `--password x` are wrong or unwise, but their values are secret
                    // too.
                    mask_next = is_operator(&word.text);
                    if mask_next { self.out.push_str(raw) } else { self.hide(&word.text) }
                }
                None => {
                    let name = word.text.trim_end_matches([':', '=']);
                    mask_next = is_name(name.trim_start_matches('-')) && name_secrecy(name) == Secrecy::Whole;
                    let of_option = secret_of_option(before(2), before(1), &word.text);
                    let is_free = !before(1).starts_with('-') && !word.text.starts_with('-');
                    free_words += usize::from(is_free);
                    // Someone may type the password after the account name, although `login` does not take it there.
                    let is_password = is_log_in && is_free && free_words > 2;
                    if is_password {
                        self.hide(&word.text);
                    } else if let Some(start) = of_option {
                        self.out.push_str(&word.text[..start]);
                        self.hide(&word.text[start..]);
                    } else if names_a_secret(&word.text) && !mask_next {
                        self.hidden.extend(secrets_in("", &word.text));
                        self.out.push_str(MASK);
                    } else {
                        match mask_text(&word.text) {
                            shown if shown == word.text => self.out.push_str(raw),
                            shown => {
                                self.hidden.extend(secrets_in("", &word.text));
                                self.out.push_str(&quote_word(&shown));
                            }
                        }
                    }
                }
            }
        }
        self.out.push_str(&line[written..]);
        false
    }

    fn hide(&mut self, secret: &str) {
        self.hidden.push(Secret::new(secret));
        self.out.push_str(MASK);
    }
}

/// Returns the masked value; `None` where nothing in it is masked.
fn masked(name: &str, value: &str) -> Option<String> {
    let shown = match name_secrecy(name) {
        Secrecy::Whole if names_a_file(value) || value.is_empty() => return None,
        // The two kinds of credential store are no secret.
        Secrecy::Whole if name == "credentials" && matches!(value, "file" | "keyring") => return None,
        Secrecy::Whole => MASK.to_owned(),
        secrecy if looks_like_json(value) => {
            // JSON or a Python literal, perhaps invalid. There are too many ways to write a secret in it, so the value
            // is masked as a whole or not at all.
            let hides = names_a_secret(value) || value.contains("\\u") || value.contains("\\x");
            let holds = secrecy == Secrecy::Inside && value.contains('$') || mask_text(value) != value;
            if hides || holds || value.contains(':') && value.contains('@') {
                MASK.to_owned()
            } else {
                return None;
            }
        }
        Secrecy::Inside => mask_value(name, value).into_owned(),
        Secrecy::Open => match secret_name_with_value(value) {
            Some(end) => format!("{}{MASK}", &value[..end]),
            None => mask_text(value).into_owned(),
        },
    };
    (shown != value).then_some(shown)
}

/// Splits a word such as `name?=a,b` into name, operator and value.
fn split(word: &str) -> Option<(&str, &str, &str)> {
    let end = word.find(|c: char| !c.is_alphanumeric() && !"_.-/".contains(c))?;
    let rest = word[end..].trim_start_matches(['!', '?', '~']);
    let value = match rest.strip_prefix(['<', '>']) {
        Some(value) => value.strip_prefix('=').unwrap_or(value),
        None => rest.strip_prefix('=')?,
    };
    (end > 0).then(|| (&word[..end], &word[end..word.len() - value.len()], value))
}

/// Whether a word names a setting whose value is secret: `name=smtp.password`.
fn names_a_secret_setting(word: &str) -> bool {
    split(word).is_some_and(|(name, _, value)| name == "name" && name_secrecy(value) == Secrecy::Whole)
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

fn is_operator(word: &str) -> bool {
    !word.is_empty() && (word.chars().all(|c| "!?~=<>:".contains(c)) || matches!(word, "like" | "in" | "not"))
}

/// Whether a value is a path: `@-`, `@/run/secret`, `@./file`, `@~/file`. Any other text after `@` may be a password.
fn names_a_file(value: &str) -> bool {
    value == "@-" || ["@/", "@./", "@../", "@~/"].iter().any(|start| value.starts_with(start))
}

/// Whether text of several words contains a secret name.
fn names_a_secret(text: &str) -> bool {
    !is_name(text)
        && text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| name_secrecy(word) == Secrecy::Whole || word.eq_ignore_ascii_case("userdata"))
}

/// Returns the byte offset at which the first secret name of a line ends.
fn first_secret_name(line: &str) -> Option<usize> {
    let mut end = 0;
    line.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').find_map(|piece| {
        end += piece.len();
        let name = piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        (name_secrecy(name) == Secrecy::Whole).then_some(end - (piece.len() - name.len()))
    })
}

/// Returns the byte offset at which the value of a secret name starts in text such as `O'Brien password=x`.
fn secret_name_with_value(text: &str) -> Option<usize> {
    text.char_indices().filter(|(_, c)| matches!(c, '=' | ':')).find_map(|(at, _)| {
        let before = text[..at].trim_end_matches(['!', '?', '~', ' ', '"', '\'']);
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        (name_secrecy(name) == Secrecy::Whole && at + 1 < text.len()).then_some(at + 1)
    })
}

/// Whether text such as `a b password=` ends where a secret would start.
fn ends_in_secret_name(text: &str) -> bool {
    let before = text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    text[before.len()..].contains(['=', ':']) && name_secrecy(name) == Secrecy::Whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_any_quoting_are_masked() {
        for (line, masked) in [
            ("LogInByAccount accountName=admin password=x", "LogInByAccount accountName=admin password=******"),
            (
                "UpdateUser oldPassword='a b' password=\"c d\" uuid=1",
                "UpdateUser oldPassword=****** password=****** uuid=1",
            ),
            ("CreateUser 'password=a b' name=\"x y\"", "CreateUser password=****** name=\"x y\""),
            ("LogInByAcount pass'word'=x\\ y", "LogInByAcount password=******"),
            ("AddKVMHost sshPassword= x name=h", "AddKVMHost sshPassword= ****** name=h"),
            ("AddKVMHost password = x", "AddKVMHost password = ******"),
            ("login admin --password x", "login admin --password ******"),
            ("login --code 123456 admin", "login --code ****** admin"),
            ("login --code=123456", "login --code=******"),
            ("LogInByAccount systemTags=twofatoken::123456", "LogInByAccount systemTags=twofatoken::******"),
            ("LogInByAccount systemTags=a::b,twofatoken::123456", "LogInByAccount systemTags=a::b,twofatoken::******"),
            ("LogInByAccount systemTags='[\"twofatoken::123456\"]'", "LogInByAccount systemTags=******"),
            ("LogInByAccount password=\"unclosed name=x", "LogInByAccount password=******"),
            ("CreateX a='b password=x c", "CreateX a='b password=******"),
            ("QueryX mons.sshPassword!=x", "QueryX mons.sshPassword!=******"),
            ("login admin hunter2", "login admin ******"),
            ("QueryZone; login admin hunter2; QueryZone", "QueryZone; login admin ******; QueryZone"),
            ("CreateUser password=x; QueryZone password =; y", "CreateUser password=******; QueryZone password =; y"),
            ("let x = login admin hunter2", "let x = login admin ******"),
            ("let x = CreateUser password=x | .y", "let x = CreateUser password=****** | .y"),
            ("CreateUser password=$pw", "CreateUser password=******"),
            ("set password hunter2", "set password ******"),
            ("context set a password=hunter2", "context set a password=******"),
            ("alias l = LogInByAccount password=hunter2", "alias l = LogInByAccount password=******"),
            ("AddKVMHost password = hunter2", "AddKVMHost password = ******"),
            ("AddKVMHost password : hunter2", "AddKVMHost password : ******"),
            ("AddKVMHost password: hunter2", "AddKVMHost password: ******"),
            ("AddKVMHost password:hunter2", "AddKVMHost ******"),
            ("QueryHost |! sshpass -p hunter2 ssh", "QueryHost |! sshpass -p ****** ssh"),
            ("UpdateGlobalConfig name=smtp.password value=x", "UpdateGlobalConfig name=smtp.password value=******"),
            ("UpdateGlobalConfig value=x name=smtp.password", "UpdateGlobalConfig value=****** name=smtp.password"),
            ("AddX mdsUrls='[\"root:x@10.0.0.1\"]'", "AddX mdsUrls=******"),
            ("AddX key='-----BEGIN PRIVATE KEY-----\nx'", "AddX key=******"),
            ("context set a credentials=keyring", "context set a credentials=keyring"),
            ("LogOut sessionUuid=5d0c", "LogOut sessionUuid=******"),
            ("CreateUser name=O'Brien password='x'", "CreateUser name=O'Brien password=******"),
            ("CreateUser name=O'Brien password='x", "CreateUser name='OBrien password=******'"),
            (r"CreateUser x='a b password=' c d'\'' y=1'", "CreateUser x='a b password=******"),
            ("CreateUser password=@/run/x other=1", "CreateUser password=@/run/x other=1"),
            ("CreateUser password=@dm1n", "CreateUser password=******"),
            ("CreateUser password==@/x", "CreateUser password=******"),
            ("CreateUser password=", "CreateUser password="),
            ("CreateUser name='a password=' x=y z=1", "CreateUser name='a password=******"),
        ] {
            assert_eq!(mask_command(line), masked);
        }
    }

    #[test]
    fn secrets_inside_values_are_masked() {
        for (line, masked) in [
            ("AddCephBackupStorage monUrls=root:x@10.0.0.1", "AddCephBackupStorage monUrls=root:******@10.0.0.1"),
            ("CreateX mons='[{\"sshPassword\":\"x\"}]'", "CreateX mons=******"),
            ("CreateX mons=\"[{'sshPassword':'x'}]\"", "CreateX mons=******"),
            ("CreateVm systemTags=consolePassword::x", "CreateVm systemTags=consolePassword::******"),
            ("zql \"query user where password='x'\"", "zql ******"),
            ("raw PUT accounts/login '{\"logIn\":{\"password\":\"x\"}}'", "raw PUT accounts/login ******"),
            ("raw DELETE /accounts/sessions/5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37", "raw DELETE /accounts/sessions/******"),
            ("raw PUT /x?a=b&password=x", "raw PUT ******"),
            ("zql query user where password='x'", "zql query user where password=******"),
        ] {
            assert_eq!(mask_command(line), masked);
        }
    }

    #[test]
    fn no_way_of_writing_a_secret_gives_it_away() {
        let names = ["password", "sshPassword", "oldPassword", "AccessKeySecret", "--password", "mons.sshPassword"];
        let operators = ["=", "!=", "?=", "~=", " = ", "= ", " "];
        let quotings: [fn(&str) -> String; 7] = [
            |value| value.to_owned(),
            |value| format!("'{value}'"),
            |value| format!("\"{value}\""),
            |value| format!("\"{value}"),
            |value| format!("'a b'{value}"),
            |value| format!("\\{value}"),
            |value| format!("[\"{value}\"]"),
        ];
        let around = ["{}", "LogInByAccount name=x {} uuid=1", "x 'open {}", "QueryUser # {}", "a \\\n {}", "é {} ü=1"];
        for name in names {
            for operator in operators {
                for quote in quotings {
                    for template in around {
                        let line = template.replace("{}", &format!("{name}{operator}{}", quote("hunter2")));
                        let shown = mask_command(&line);
                        assert!(!shown.contains("hunter2"), "{line} became {shown}");
                    }
                }
            }
        }
    }

    #[test]
    fn other_lines_stay_as_typed() {
        for line in [
            "",
            "QueryVmInstance  vmNics.ip~='10.0.3.%' \"name=a b\"  # note",
            "AddPrimaryStorage url=nfs://10.0.0.1/x name=\"unclosed",
            "AttachX rules=\"[{'a':'b'}]\" systemTags=ha::x",
            "help LogInByAccount",
            "QueryZone name=password",
            "QueryImage url=http://a:80/x \\",
            "é=ü \u{2028} ü=é",
        ] {
            assert_eq!(mask_command(line), line);
        }
    }
}
