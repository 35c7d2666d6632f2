//! Resolving a request to the API that it calls (D1 to D6).

use std::rc::Rc;

use serde_json::Value;

use super::answer::Answer;
use super::arguments::Arguments;
use super::target::Target;
use crate::catalog::{Api, Candidate, Method, Routes};

/// The API of a request and the parsed body, which may contain secrets.
pub(super) struct ResolvedCall {
    candidate: Candidate,
    body: Option<Value>,
}

impl ResolvedCall {
    /// Resolves a request by its path, and by verb and body where several APIs share the path.
    ///
    /// # Errors
    /// Rejections by the front end: 404, 405, 400 and 500 text.
    pub(super) fn resolve(
        routes: &mut Routes,
        verb: &str,
        target: &Target,
        body: &str,
    ) -> Result<ResolvedCall, Answer> {
        let path = target.path.strip_prefix("/v1").unwrap_or_default();
        let mut candidates = routes.find(path);
        if candidates.is_empty() {
            return Err(Answer::text(404, format!("no api mapping to {}", target.path)));
        }
        let body: Option<Value> = if body.trim().is_empty() {
            None
        } else {
            // A body that is not JSON is an error of the front end, with GET and DELETE too (P4).
            Some(serde_json::from_str(body).map_err(|error| Answer::text(500, format!("malformed JSON: {error}")))?)
        };
        let candidate = if candidates.len() == 1 {
            // A path with one API runs that API for any verb (D3).
            candidates.swap_remove(0)
        } else {
            choose(candidates, verb, target, body.as_ref())?
        };
        Ok(ResolvedCall { candidate, body })
    }

    pub(super) fn api(&self) -> &Rc<Api> {
        &self.candidate.api
    }

    /// The uuid of `GET <query path>/{uuid}`, which ignores the query string (D4).
    pub(super) fn row(&self) -> Option<(&'static str, &str)> {
        let (name, value) = self.candidate.variables.first()?;
        self.candidate.api.is_query.then_some((name, value.as_str()))
    }

    /// The arguments, read from the body or query string depending on the verb of the request (D3, P1 to P8).
    ///
    /// # Errors
    /// 400 and 500 text for values of the wrong type.
    pub(super) fn arguments(&self, verb: &str, target: &Target) -> Result<Arguments, Answer> {
        if matches!(verb, "GET" | "DELETE") {
            Arguments::from_query(&self.candidate, target)
        } else {
            Arguments::from_body(&self.candidate, self.body.as_ref())
        }
    }
}

/// Chooses among the APIs of one path by verb, and by the body's member for PUT (D2).
fn choose(candidates: Vec<Candidate>, verb: &str, target: &Target, body: Option<&Value>) -> Result<Candidate, Answer> {
    let method = match verb {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => return Err(Answer::text(405, format!("the verb {verb} is not allowed for {}", target.path))),
    };
    let mut of_verb = candidates.into_iter().filter(|candidate| candidate.api.method == method);
    if method != Method::Put {
        return of_verb.next().ok_or_else(|| Answer::text(500, format!("{} has no API for {verb}", target.path)));
    }
    let Some(body) = body else { return Err(Answer::text(500, "")) };
    of_verb
        .find(|candidate| body.get(candidate.api.body).is_some())
        .ok_or_else(|| Answer::text(400, format!("the body names no action of {}", target.path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    const ID: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";

    fn call(verb: &str, path: &str, body: &str) -> Result<&'static str, (u16, String)> {
        let target = Target::read(&format!("/v1{path}"), "").expect("a good target");
        ResolvedCall::resolve(&mut Routes::new(Catalog::newest()), verb, &target, body)
            .map(|dispatched| dispatched.api().name)
            .map_err(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    fn status(result: Result<&'static str, (u16, String)>) -> Result<&'static str, u16> {
        result.map_err(|error| error.0)
    }

    #[test]
    fn several_apis_are_told_apart_by_verb_and_action() {
        assert_eq!(call("GET", "/zones", ""), Ok("QueryZone"));
        assert_eq!(call("POST", "/zones", "{}"), Ok("CreateZone"));
        let path = format!("/vm-instances/{ID}/actions");
        assert_eq!(call("PUT", &path, r#"{"stopVmInstance":{}}"#), Ok("StopVmInstance"));
        assert_eq!(status(call("PUT", &path, r#"{"params":{}}"#)), Err(400));
        assert_eq!(call("PUT", &path, ""), Err((500, String::new())));
        assert_eq!(status(call("DELETE", "/zones", "")), Err(500));
        assert_eq!(status(call("HEAD", "/zones", "")), Err(405));
    }

    #[test]
    fn a_lone_api_runs_whatever_the_verb() {
        let path = format!("/primary-storage/{ID}");
        for verb in ["GET", "DELETE", "POST", "PUT", "HEAD"] {
            assert_eq!(call(verb, &path, ""), Ok("DeletePrimaryStorage"), "{verb}");
        }
        // The wrong key on such a path is a call without parameters (P3).
        assert_eq!(call("PUT", "/accounts/login", r#"{"params":{}}"#), Ok("LogInByAccount"));
    }

    #[test]
    fn a_query_answers_for_one_row() {
        let target = Target::read(&format!("/v1/zones/{ID}?limit=0"), "").expect("a good target");
        let dispatched =
            ResolvedCall::resolve(&mut Routes::new(Catalog::newest()), "GET", &target, "").expect("a query");
        assert_eq!((dispatched.api().name, dispatched.row()), ("QueryZone", Some(("uuid", ID))));
    }

    #[test]
    fn unknown_paths_and_broken_bodies_are_text() {
        assert_eq!(call("GET", "/zoness", ""), Err((404, "no api mapping to /v1/zoness".into())));
        assert_eq!(call("GET", "/zones/", ""), Err((404, "no api mapping to /v1/zones/".into())));
        assert_eq!(status(call("POST", "/zones", "{")), Err(500));
        assert_eq!(status(call("GET", "/zones", "not JSON")), Err(500));
    }
}
