//! Running the API of a request, synchronously or as a job.

use serde_json::Value;

use super::access_keys::Credential;
use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::audits::is_log_in;
use super::change;
use super::checks;
use super::clock::UnixMillis;
use super::dispatch::ResolvedCall;
use super::durations;
use super::faults::FaultKind;
use super::jobs::Job;
use super::ledger::new_uuid;
use super::node::{Node, ReceivedRequest, Reply};
use super::pending_query::{PendingQuery, QueryText};
use super::sessions::Session;
use super::store::{QueryRequest, ServerError, Viewer};
use super::target::Target;
use super::web_hook::WebHook;
use crate::catalog::Api;

/// The system tag that makes a node only validate a call (P10).
const VALIDATION_ONLY: &str = "ephemeral::validationOnly";

/// Longer than any client waits, in milliseconds.
const FOR_EVER: i64 = 100 * 365 * 24 * 3600 * 1000;

/// The account that makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) is_admin: bool,
}

impl Caller {
    pub(super) fn of(session: &Session) -> Caller {
        Caller { account: session.account.clone(), is_admin: session.is_admin }
    }

    pub(super) fn viewer(&self) -> Viewer {
        Viewer { account_uuid: self.account.clone(), is_admin: self.is_admin }
    }
}

/// Options of an asynchronous call.
struct JobOptions {
    /// The uuid that the client chose for its job (J2).
    job_uuid: Option<String>,
    /// The address that the call comes from.
    client: Option<String>,
    /// How long it may take, in seconds.
    timeout: Option<u32>,
    /// Whether it is only validated (P10).
    validates_only: bool,
    /// Whether its record is lost on purpose.
    is_lost: bool,
    /// Whether it never ends, on purpose.
    is_stuck: bool,
    /// The base URL of `location` (J3).
    base: String,
    /// The URL to post its result to (W1).
    web_hook: Option<String>,
}

impl Node {
    /// Calls an API. `Err` is a rejection by the front end, `Ok` any other reply.
    pub(super) fn call(
        &mut self,
        received: &ReceivedRequest,
        target: &Target,
        dispatched: &ResolvedCall,
        faults: &[FaultKind],
    ) -> Result<Reply, Answer> {
        let api = dispatched.api();
        let credential =
            if api.session { Some(Credential::read(received, target, self.now(), self.offer.edition)?) } else { None };
        let credential = credential.as_ref();
        if api.is_query {
            let query = self.query(api, credential, &received.verb, target, dispatched.row());
            return Ok(Reply::Query(Box::new(query)));
        }
        let job_uuid = self.job_uuid(received)?;
        let timeout = match received.api_timeout.as_deref() {
            None => None,
            Some(text) => {
                Some(text.parse::<u32>().map_err(|_| Answer::text(500, format!("For input string: \"{text}\"")))?)
            }
        };
        let arguments = dispatched.arguments(&received.verb, target)?;
        let validates_only = arguments.texts("systemTags").contains(&VALIDATION_ONLY);
        if api.is_async {
            // Characters of more than three bytes cannot be stored in the job record (R9).
            let is_lost = faults.contains(&FaultKind::JobLost) || arguments.has_wide_text();
            let base = self.base_url(received, faults.contains(&FaultKind::Location));
            let web_hook = received.web_hook.clone();
            let is_stuck = faults.contains(&FaultKind::JobStuck);
            let client = received.client.clone();
            let order = JobOptions { job_uuid, client, timeout, validates_only, is_lost, is_stuck, base, web_hook };
            let job = self.submit(api, arguments, credential, order);
            return Ok(job.unwrap_or_else(|failure| Answer::failed(&failure)).into());
        }
        if validates_only {
            return Ok(Answer::text(500, "").into());
        }
        let outcome = self.admit(api, &arguments, credential);
        if let (Ok(caller), "ZQLQuery") = (&outcome, api.name) {
            let text = QueryText::Zql(arguments.text("zql").unwrap_or_default().to_owned());
            return Ok(Reply::Query(Box::new(PendingQuery { text, viewer: caller.viewer(), refusal: None })));
        }
        if let Ok(caller) = &outcome
            && let Some(read) = self.pending_read(api, &arguments, caller, received.wants_schema)
        {
            return Ok(Reply::Read(Box::new(read)));
        }
        let call = if is_log_in(api.name) {
            let call = self.audited_log_in(api, &arguments, received.client.as_deref());
            Some(call.map_err(|failure| Answer::failed(&failure))?)
        } else {
            None
        };
        let outcome = outcome.and_then(|caller| self.run(api, &arguments, &caller));
        if let Some(call) = call {
            self.audit(call, &outcome, self.now()).map_err(|failure| Answer::failed(&failure))?;
        }
        Ok(Answer::of(outcome).into())
    }

    /// The uuid that the client chose for its job (J2).
    fn job_uuid(&self, received: &ReceivedRequest) -> Result<Option<String>, Answer> {
        let Some(uuid) = &received.job_uuid else { return Ok(None) };
        if uuid.chars().count() != 32 {
            return Err(Answer::text(400, "the header 'X-Job-UUID' must be a uuid without dashes"));
        }
        let is_known = self.ledger.knows_job(uuid).map_err(|error| Answer::failed(&error.into()))?;
        if is_known && received.verb != "GET" {
            return Err(Answer::text(400, format!("Duplicate job uuid[{uuid}]")));
        }
        // A DELETE called with GET (D3) is not rejected for a known job uuid; it gets a new one.
        Ok((!is_known).then(|| uuid.clone()))
    }

    /// Checks the parameters, and then the session (A2).
    fn admit(&mut self, api: &Api, arguments: &Arguments, credential: Option<&Credential>) -> Result<Caller, Failure> {
        checks::check_values(api, arguments)?;
        // An API that is not simulated fails with that error, and not with an unknown resource.
        let is_simulated = self.is_simulated(api);
        if is_simulated {
            checks::check_references(self.catalog, &self.store, api, arguments)?;
        }
        let caller = match credential {
            Some(credential) => self.caller(credential)?,
            None => Caller { account: String::new(), is_admin: false },
        };
        if is_simulated { Ok(caller) } else { Err(Failure::not_simulated(api.name)) }
    }

    fn query(
        &self,
        api: &Api,
        credential: Option<&Credential>,
        verb: &str,
        target: &Target,
        row: Option<(&str, &str)>,
    ) -> PendingQuery {
        let request = match row {
            Some((name, value)) => {
                QueryRequest { conditions: vec![format!("{name}={value}")], ..QueryRequest::default() }
            }
            // Parameters of other verbs are read from the body, where a query has none (D3).
            None if verb == "GET" || verb == "DELETE" => query_request(target),
            None => QueryRequest::default(),
        };
        let inventory = api.inventory.unwrap_or_default();
        let nobody = Caller { account: String::new(), is_admin: false };
        let caller = credential.map_or(Ok(nobody.clone()), |credential| self.caller(credential));
        let text = QueryText::Request(inventory, Box::new(request));
        match caller {
            Ok(caller) => PendingQuery { text, viewer: caller.viewer(), refusal: None },
            Err(failure) => PendingQuery { text, viewer: nobody.viewer(), refusal: Some(failure) },
        }
    }

    /// Accepts an asynchronous call with 202, even if it fails later (J1, J9).
    fn submit(
        &mut self,
        api: &Api,
        mut arguments: Arguments,
        credential: Option<&Credential>,
        order: JobOptions,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        let retention = i64::try_from(self.options.job_retention.as_millis()).unwrap_or(i64::MAX);
        self.ledger.purge_jobs(now.plus(-retention))?;
        let JobOptions { job_uuid, client, timeout, validates_only, is_lost, is_stuck, base, web_hook } = order;
        let uuid = job_uuid.unwrap_or_else(new_uuid);
        let timeout = timeout.map_or_else(|| durations::limit(api.name), |seconds| i64::from(seconds) * 1000);
        let takes = self.scaled(durations::usual(api.name));
        let is_late = takes > timeout;
        if !validates_only && !is_late {
            change::making::choose(api.name, &mut arguments);
        }
        let outcome = self.admit(api, &arguments, credential).and_then(|caller| {
            if is_late {
                return Err(Failure::new("SYS.1001", format!("{} timed out", api.name)));
            }
            if validates_only {
                self.rehearse(api, &arguments, &caller)?;
            } else {
                self.prepare(api, &arguments, &caller)?;
            }
            Ok(caller)
        });
        let is_refused = outcome.as_ref().is_err_and(|failure| failure.code != "SYS.1001");
        // A call with a bad argument has a caller too.
        let caller = outcome.as_ref().ok().cloned().or_else(|| credential.and_then(|it| self.caller(it).ok()));
        let caller = caller.unwrap_or(Caller { account: String::new(), is_admin: false });
        let job = Job {
            uuid: uuid.clone(),
            api: api.name.to_owned(),
            arguments: Some(Value::Object(arguments.values().clone()).to_string()),
            account: caller.account,
            is_admin: caller.is_admin,
            client,
            long_job: None,
            requested: now,
            due: match () {
                () if is_stuck => now.plus(FOR_EVER),
                () if is_lost || is_refused => now,
                () => now.plus(takes.min(timeout)),
            },
        };
        self.ledger.begin_job(&job)?;
        if validates_only || outcome.is_err() {
            let outcome = outcome.map(|_| "{}".to_owned());
            if outcome.is_err() && !job.account.is_empty() {
                self.audit(self.audited_job(&job, api, &arguments)?, &outcome, job.due)?;
            }
            self.ledger.finish_job(&uuid, &Answer::of_job(outcome))?;
        }
        if is_lost {
            self.run_due_jobs()?;
            self.ledger.forget_job(&uuid)?;
        }
        if let Some(url) = web_hook {
            let after = u64::try_from(job.due.0 - now.0).unwrap_or_default();
            self.web_hooks.push(WebHook { url, job: uuid.clone(), after });
        }
        let location = format!("{base}/v1/api-jobs/{uuid}");
        Ok(Answer::json(202, &format!("{{\"location\":{},\"apiTimeout\":{timeout}}}", Value::from(location))))
    }

    /// The base URL of `location`: the address that the client used, unless the node is configured with another one
    /// (J3).
    fn base_url(&self, received: &ReceivedRequest, is_elsewhere: bool) -> String {
        match &received.host {
            Some(host) if !is_elsewhere => format!("http://{host}{}", self.options.context),
            _ => self.options.believed_url.clone(),
        }
    }

    /// Runs the jobs that are due.
    pub(super) fn run_due_jobs(&mut self) -> Result<(), Failure> {
        let now = self.now();
        while let Some(job) = self.ledger.claim_job(now, |api| self.is_in_parts(api))? {
            if let Some(change) = self.big_change(&job) {
                self.begun.push(change);
                continue;
            }
            let outcome = self.run_job(&job, Ok(()), job.due);
            self.end_long_job(&job, &outcome)?;
            self.ledger.finish_job(&job.uuid, &Answer::of_job(outcome))?;
        }
        Ok(())
    }

    /// Makes the call of a job, unless a part of it has failed already, and audits it.
    pub(super) fn run_job(
        &mut self,
        job: &Job,
        so_far: Result<(), Failure>,
        end: UnixMillis,
    ) -> Result<String, Failure> {
        let api = self.catalog.api(&job.api).ok_or_else(|| Failure::not_simulated(&job.api))?;
        let (arguments, caller) = (job.arguments(), job.caller());
        let call = self.audited_job(job, &api, &arguments)?;
        let outcome = so_far.and_then(|()| match self.run_long_job(api.name, &arguments, &caller, &job.uuid) {
            Some(outcome) => outcome,
            None => self.run(&api, &arguments, &caller),
        });
        self.audit(call, &outcome, end)?;
        outcome
    }
}

/// The keys of a query string that a query reads; for all except `q` the first occurrence is used.
fn query_request(target: &Target) -> QueryRequest {
    let first = |name| target.first(name).map(str::to_owned);
    let is_true = |name| target.first(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    QueryRequest {
        conditions: target.all("q").map(str::to_owned).collect(),
        limit: first("limit"),
        start: first("start"),
        count: is_true("count"),
        reply_with_count: is_true("replyWithCount"),
        sort: first("sort"),
        fields: first("fields"),
        group_by: first("groupBy"),
        filter_name: first("filterName"),
    }
}

impl From<ServerError> for Answer {
    fn from(error: ServerError) -> Answer {
        match error {
            ServerError::Text { status, text } => Answer::text(status, text),
            ServerError::Failed { code, details, .. } => Answer::failed(&Failure::new(code, details)),
        }
    }
}
