//! Version and APIs of the node, and progress of jobs.

use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::arguments::Arguments;
use super::super::jobs::Progress;
use super::super::node::Node;
use super::super::offer::{Edition, Version};

/// The ZStack version that the sandbox simulates by default. APIs of newer versions are in the catalog nevertheless.
const VERSION: &str = "5.2.1";

/// The APIs about the node itself.
pub(in super::super) const APIS: [&str; 11] = [
    "GetCurrentTime",
    "GetManagementNodeArch",
    "GetManagementNodeOS",
    "GetPlatformTimeZone",
    "GetSupportAPIs",
    "GetSupportedIdentityModels",
    "GetTaskProgress",
    "GetVersion",
    "IsOpensourceVersion",
    "IsReadyToGo",
    "ZQLQuery",
];

impl Node {
    /// Runs a call that only reads; `None` for other APIs.
    pub(in super::super) fn read(&mut self, api: &str, arguments: &Arguments) -> Option<Result<String, Failure>> {
        let reply = match api {
            "GetVersion" => {
                let version = self.options.version.as_ref().map_or(VERSION, Version::as_str);
                json!({ "version": version, "success": true })
            }
            "GetCurrentTime" => {
                let now = self.now().0;
                json!({ "currentTime": { "MillionSeconds": now, "Seconds": now / 1000 }, "success": true })
            }
            "GetSupportAPIs" => {
                let apis = self.offer.listed().filter(|api| api.is_query || self.is_simulated(api));
                let names: Vec<String> = apis.map(|api| format!("API{}Msg", api.name)).collect();
                json!({ "supportApis": names, "success": true })
            }
            "GetManagementNodeArch" => json!({ "architecture": std::env::consts::ARCH, "success": true }),
            "GetManagementNodeOS" => json!({ "name": "Sandbox", "version": "1", "success": true }),
            "IsReadyToGo" => json!({}),
            "IsOpensourceVersion" => json!({ "opensource": true, "success": true }),
            "GetSupportedIdentityModels" => {
                let is_full = self.offer.edition == Edition::Full;
                json!({ "configs": if is_full { &["IAM", "IAM2"][..] } else { &["IAM"] } })
            }
            "GetPlatformTimeZone" => json!({ "timezone": "UTC", "offset": "Z", "success": true }),
            "GetTaskProgress" => return Some(self.task_progress(arguments)),
            _ => return None,
        };
        Some(Ok(reply.to_string()))
    }

    /// The progress of a job in percent (J11); no rows for an unknown job (R12).
    fn task_progress(&mut self, arguments: &Arguments) -> Result<String, Failure> {
        let uuid = arguments.text("apiId").unwrap_or_default();
        let now = self.now();
        let mut name = self.ledger.job_api(uuid)?.unwrap_or_default();
        let mut running = match self.ledger.job_progress(uuid, now)? {
            Some(Progress::Running(since, due)) => Some((since, due)),
            _ => None,
        };
        if let Some(work) = self.work_begun_by(uuid)? {
            name = work.api;
            running = Some((work.requested, work.due));
        }
        let mut trail = Vec::new();
        if let Some((since, due)) = running {
            let whole = (due.0 - since.0).max(1);
            let percent = ((now.0 - since.0) * 100 / whole).clamp(0, 99);
            let entry = |kind: &str, content: String, time: i64| -> Value {
                json!({ "taskUuid": uuid, "taskName": name, "type": kind, "content": content, "time": time })
            };
            if arguments.get("all").and_then(Value::as_bool) == Some(true) {
                trail.push(entry("Task", format!("{name} has begun"), since.0));
                // The progress reports so far: one for every tenth.
                let steps = (0..percent).step_by(10);
                trail.extend(steps.map(|step| entry("Progress", step.to_string(), since.0 + whole * step / 100)));
            }
            trail.push(entry("Progress", percent.to_string(), now.0));
        }
        Ok(json!({ "inventories": trail }).to_string())
    }
}

/// The uuid of the node itself.
pub(in super::super) const MANAGEMENT_NODE: &str = "c25d957d9f6c4f17946c7fa70972f42c";
