//! Queries the version of a node and the APIs that it has (R2).

use super::call::{Answer, CallOptions, Unwatched};
use super::caller::Client;
use super::error::{Class, Error};
use crate::catalog::Method;
use crate::json::{self, Value};
use crate::plan::{Effect, PathPart, Request};

impl Client {
    /// The ZStack version of the node; `None` if it does not report it.
    ///
    /// # Errors
    /// When the node gives no answer at all.
    pub fn node_version(&mut self) -> Result<Option<String>, Error> {
        let reply = self.ask_of_itself("GetVersion", "getVersion")?;
        let version = reply.as_deref().and_then(|reply| json::member(reply, "version")).map(json::unescape);
        Ok(version.map(|version| version.into_owned()).filter(|version| !version.is_empty()))
    }

    /// The names of the APIs that the node has; `None` if it does not list them.
    ///
    /// # Errors
    /// When the node gives no answer at all.
    pub fn offered_apis(&mut self) -> Result<Option<Vec<String>>, Error> {
        let reply = self.ask_of_itself("GetSupportAPIs", "getSupportAPIs")?;
        let list = reply.as_deref().and_then(|reply| json::member(reply, "supportApis"));
        let name = |item: &[u8]| {
            let message = json::unescape(item).into_owned();
            let name = message.strip_prefix("API").unwrap_or(&message);
            name.strip_suffix("Msg").unwrap_or(name).to_owned()
        };
        let names: Vec<String> = json::items(list.unwrap_or_default())
            .filter(|item| json::kind(item) == json::Kind::Text)
            .map(name)
            .collect();
        Ok(Some(names).filter(|names| !names.is_empty()))
    }

    /// The reply to a call without parameters and session; `None` if the node refuses it.
    fn ask_of_itself(&mut self, api: &'static str, action: &str) -> Result<Option<Vec<u8>>, Error> {
        let request = Request {
            api,
            method: Method::Put,
            path: vec![PathPart::Fixed("/management-nodes/actions")],
            query: Vec::new(),
            body: Some(Value::Map(vec![(action.to_owned(), Value::Map(Vec::new()))])),
            needs_session: false,
            effect: Effect::Read,
            is_async: false,
            timeout: None,
        };
        match self.execute(&request, &CallOptions::default(), &mut Unwatched) {
            Ok(Answer::Reply(reply)) => reply.into_text().map(Some).map_err(|error| Error::of_read(&error)),
            Ok(Answer::Failed(_) | Answer::Detached(_)) => Ok(None),
            Err(error) if error.class() == Class::Failure => Ok(None),
            Err(error) => Err(error),
        }
    }
}
