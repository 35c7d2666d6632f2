//! Captchas of log-ins.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::calls::{send, show};
use crate::client::Answer;
use crate::config;
use crate::error::Error;
use crate::json;
use crate::picture::{self, Drawing};
use crate::plan;
use crate::session::{Captcha, Invocation, LogIn};
use crate::shell;

/// Fetches a captcha, shows its picture and asks for the text; `None` if there is none or the user gives up.
pub(super) fn ask(cx: &mut Invocation<'_>, who: &LogIn) -> Result<Option<Captcha>, Error> {
    let parameters = [("resourceName", who.name().to_owned()), ("loginType", who.login_type().to_owned())];
    let request = plan::call("GetLoginCaptcha", &parameters, cx.session.catalog)?;
    let Answer::Reply(reply) = send::execute(cx, &request)? else { return Ok(None) };
    let text = show::text(reply)?;
    let member = |name: &str| json::member(&text, name).map(|value| json::unescape(value).into_owned());
    let (Some(uuid), Some(picture)) = (member("captchaUuid"), member("captcha")) else { return Ok(None) };
    // Some nodes send it as a data URL: `data:image/png;base64,...`.
    let base64 = picture.rsplit(',').next().unwrap_or_default();
    let Ok(picture) = BASE64_STANDARD.decode(base64) else { return Ok(None) };
    let code = read(cx, &picture)?;
    Ok(code.filter(|code| !code.is_empty()).map(|code| Captcha { uuid, code }))
}

/// Shows a picture, on the terminal if possible, else in a file, and asks for its text.
fn read(cx: &Invocation<'_>, picture: &[u8]) -> Result<Option<String>, Error> {
    let environment = &cx.session.environment;
    let drawing = environment.variables.drawing.filter(|_| cx.settings.ui.terminal.stderr);
    let columns = cx.settings.ui.width().unwrap_or(80);
    let is_drawn = match drawing {
        Some(drawing) => picture::draw(picture, drawing, columns, &mut io::stderr())?,
        None => false,
    };
    // Half blocks are coarse, so that the picture is written to a file, too.
    let is_clear = is_drawn && !matches!(drawing, Some(Drawing::Blocks { .. }));
    let path = environment.folders()?.state.join("captcha").join("captcha.png");
    if !is_clear {
        config::write_private(&path, picture)?;
    }
    let question = match (is_drawn, is_clear) {
        (_, true) => "What does the picture say?".to_owned(),
        (true, false) => format!("What does the picture say, which is also in {}?", path.display()),
        (false, _) => format!("What does the picture in {} say?", path.display()),
    };
    let _attended = cx.session.attend_to_ends()?;
    let code = shell::ask(&environment.variables.language.ask(&question));
    // The file is not needed any more.
    let _ = std::fs::remove_file(&path);
    Ok(code?.map(|code| code.trim().to_owned()))
}
