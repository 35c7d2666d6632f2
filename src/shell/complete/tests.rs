//! Table tests of the engine: a line with the cursor marked `¦`, and the candidates there.

use super::*;
use crate::catalog::Catalog;

/// A node with a few resources; images are `Pending`, volumes cannot be asked for.
struct FakeNode;

impl LiveValues for FakeNode {
    fn lookup(&self, query_api: &str, _: &str) -> Live {
        let value = |uuid: &str, name: &str| LiveValue { uuid: uuid.into(), name: name.into(), ..LiveValue::default() };
        match query_api {
            "QueryHost" => Live::Ready(vec![
                value("90ab7f5d1d934e9eb0a1d1f0aa11bb23", "kvm-2"),
                value("4a2a7f5d1d934e9eb0a1d1f0aa11bb22", "kvm-1"),
            ]),
            "QueryVmInstance" => Live::Ready(vec![
                value("11117f5d1d934e9eb0a1d1f0aa11bb22", "my vm"),
                value("22227f5d1d934e9eb0a1d1f0aa11bb23", "db-1"),
            ]),
            "QueryImage" => Live::Pending,
            _ => Live::Unavailable,
        }
    }

    fn fitting(&self, query_api: &str, fitting: &Fitting, _: &str) -> Live {
        let value = |uuid: &str, name: &str| LiveValue { uuid: uuid.into(), name: name.into(), ..LiveValue::default() };
        match (query_api, fitting) {
            ("QueryVmInstance", Fitting::Rows(conditions)) if conditions[0].2.value == "Stopped" => {
                Live::Ready(vec![value("22227f5d1d934e9eb0a1d1f0aa11bb23", "db-1")])
            }
            ("QueryHost", Fitting::Listed { api: "GetVmMigrationCandidateHosts", arguments, .. }) => {
                let given = Given { value: "my vm".into(), query: Some("QueryVmInstance") };
                assert_eq!(arguments, &[("vmInstanceUuid", given)]);
                Live::Ready(vec![value("90ab7f5d1d934e9eb0a1d1f0aa11bb23", "kvm-2")])
            }
            (_, Fitting::Rows(_)) => Live::Ready(Vec::new()),
            _ => Live::Unavailable,
        }
    }

    fn values(&self, query_api: &str, field: &str) -> Live {
        let value = |name: &str| LiveValue { name: name.into(), about: "3 rows".into(), ..LiveValue::default() };
        match (query_api, field) {
            ("QueryVmInstance", "platform") => Live::Ready(vec![value("Linux"), value("Windows")]),
            ("QuerySystemTag", "tag") => Live::Ready(vec![value("bootMode::UEFI"), value("consolePassword::hunter2")]),
            ("QueryL2Network", "type") => Live::Part(vec![value("Odd"), value("L2VlanNetwork")]),
            _ => Live::Unavailable,
        }
    }
}

struct FakeFiles;

impl Files for FakeFiles {
    fn list(&self, folder: &str) -> Vec<FileEntry> {
        let entry = |name: &str, is_folder| FileEntry { name: name.into(), is_folder };
        match folder {
            "" => vec![entry("vms.json", false), entry("data", true), entry(".hidden", false)],
            "data/" => vec![entry("my file.json", false)],
            _ => Vec::new(),
        }
    }
}

/// Two results and two jobs, the newest first.
struct FakeKept;

impl Kept for FakeKept {
    fn results(&self) -> Vec<LiveValue> {
        let result = |number: &str, line: &str| LiveValue {
            name: number.into(),
            about: format!("{line}, 5 min"),
            ..LiveValue::default()
        };
        vec![result("12", "QueryZone"), result("11", "QueryHost")]
    }

    fn jobs(&self) -> Vec<LiveValue> {
        let job =
            |uuid: &str, api: &str, about: &str| LiveValue { uuid: uuid.into(), name: api.into(), about: about.into() };
        vec![
            job("fcab7f5d1d934e9eb0a1d1f0aa11bb22", "StopVmInstance", "submitted, 5 s"),
            job("1aab7f5d1d934e9eb0a1d1f0aa11bb22", "CreateZone", "succeeded, 2 d"),
        ]
    }

    fn imported_versions(&self) -> Vec<String> {
        vec!["9.9.1".to_owned()]
    }
}

fn at(marked: &str) -> Completion {
    let contexts = ["lab".to_owned(), "production".to_owned()];
    let of_catalog = Sources::of_catalog(Catalog::newest());
    let sources = Sources { live: &FakeNode, files: &FakeFiles, contexts: &contexts, kept: &FakeKept, ..of_catalog };
    let cursor = marked.find('¦').expect("the line marks the cursor");
    complete(&marked.replace('¦', ""), cursor, &sources)
}

fn words(marked: &str) -> Vec<String> {
    let completion = at(marked);
    completion.candidates.iter().map(|candidate| completion.word(candidate)).collect()
}

#[track_caller]
fn assert_first(marked: &str, expected: &[&str]) {
    let words = words(marked);
    let first: Vec<&str> = words.iter().take(expected.len()).map(String::as_str).collect();
    assert_eq!(first, expected, "{marked}");
}

#[track_caller]
fn assert_offers(marked: &str, expected: &[&str], unexpected: &[&str]) {
    let words = words(marked);
    for word in expected {
        assert!(words.iter().any(|offered| offered == word), "{marked} should offer {word}: {words:?}");
    }
    for word in unexpected {
        assert!(!words.iter().any(|offered| offered == word), "{marked} should not offer {word}");
    }
}

#[test]
fn commands_and_apis_begin_a_line() {
    assert_offers("¦", &["QueryZone", "help", "context", "zql"], &[]);
    assert_first("QueryZo¦", &["QueryZone"]);
    assert_first("queryzon¦", &["QueryZone"]);
    assert_first("qbs¦", &["QueryBackupStorage"]);
    assert_first("QueBaSt¦", &["QueryBackupStorage"]);
    assert_first("he¦", &["help"]);
    assert_first("QueryHost¦", &["QueryHost", "QueryHostNetworkBonding"]);
    // Substrings match, as in the original CLI.
    assert_offers("BackupStorage¦", &["QueryBackupStorage", "AddCephBackupStorage"], &["QueryZone"]);
    assert_first("qrybckpstrg¦", &["QueryBackupStorage"]);
    assert_first("-o json QueryZo¦", &["QueryZone"]);
}

#[test]
fn a_raw_request_has_a_verb_and_a_path_of_the_catalog() {
    assert_offers("raw ¦", &["GET", "POST", "PUT", "DELETE"], &[]);
    assert_offers("raw delete /zo¦", &["/zones/{uuid}"], &["/zones"]);
    assert_first("raw POST /zones¦", &["/zones"]);
}

#[test]
fn fuzzy_fits_never_stand_beside_better_ones() {
    assert!(at("QueryZone¦").candidates.iter().all(|candidate| candidate.fit < Fit::Fuzzy));
    assert!(words("xyzzyqq¦").is_empty());
}

#[test]
fn parameters_come_required_first_and_once() {
    assert_first("CreateZone ¦", &["name="]);
    assert!(at("CreateZone ¦").candidates[0].required);
    assert_offers("CreateZone name=a ¦", &["description=", "timeout="], &["name="]);
    assert_offers("CreateZone ¦ name=a", &["description="], &["name="]);
    assert_offers("createzone de¦", &["description="], &["name="]);
    assert_offers("AddKVMHost ¦", &["password=", "username="], &["session="]);
}

#[test]
fn nothing_is_offered_for_a_secret() {
    let completion = at("AddKVMHost password=¦");
    assert!(completion.candidates.is_empty());
    assert_eq!(completion.note, Some(Note::Secret));
}

#[test]
fn conditions_fields_and_query_parameters_follow_a_query() {
    assert_offers(
        "QueryVmInstance ¦",
        &["uuid=", "name=", "vmNics.", "zone.", "__systemTag__=", "__userTag__=", "limit=", "fields=", "sortBy="],
        &["session="],
    );
    assert_offers("QueryVmInstance limit=3 ¦", &["start=", "name="], &["limit="]);
    // A field may have several conditions.
    assert_offers("QueryVmInstance name~=a ¦", &["name="], &[]);
    // A query whose rows are not described still takes the common parameters.
    assert_offers("QueryBuildApp ¦", &["limit=", "__userTag__="], &[]);
}

#[test]
fn paths_go_on_through_relations_to_any_depth() {
    assert_offers(
        "QueryVmInstance vmNics.¦",
        &["vmNics.ip=", "vmNics.l3Network.", "vmNics.__systemTag__="],
        &["vmNics.limit="],
    );
    assert_first("QueryVmInstance vmNics.l3Network.na¦", &["vmNics.l3Network.name="]);
    assert_offers(
        "QueryVmInstance vmNics.l3Network.zone.cluster.¦",
        &["vmNics.l3Network.zone.cluster.hypervisorType="],
        &[],
    );
    assert!(words("QueryVmInstance bogus.¦").is_empty());
}

#[test]
fn hidden_relations_work_and_are_not_offered() {
    let catalog = Catalog::newest();
    let hidden =
        catalog.api_names().filter(|api| api.is_query()).filter_map(|api| catalog.api(api.as_str())).find_map(|api| {
            let inventory = catalog.inventory(api.inventory?)?;
            let hidden = inventory.expanded.iter().find(|(_, expanded)| expanded.hidden)?;
            Some((api.name, *hidden.0))
        });
    let (query, name) = hidden.expect("some relation is hidden");
    assert_offers(&format!("{query} ¦"), &[], &[&format!("{name}.")]);
    assert_offers(&format!("{query} {name}.¦"), &[&format!("{name}.__userTag__=")], &[]);
}

#[test]
fn operators_follow_a_complete_field() {
    assert_first("QueryVmInstance state¦", &["state=", "state!="]);
    assert_offers("QueryVmInstance state¦", &["state~=", "state?=", "state=null", "state!=null"], &[]);
    assert_offers("QueryVmInstance state!¦", &["state!=", "state!?=", "state!~=", "state!=null"], &["state="]);
    assert_offers("QueryVmInstance cpuNum>¦", &[], &["cpuNum~="]);
    assert_offers("QueryVmInstance host.status¦", &["host.status!="], &[]);
    // A boolean field has no order and no patterns.
    assert_offers("QueryL3Network system¦", &["system=", "system!="], &["system>", "system~="]);
}

#[test]
fn values_of_states_types_and_booleans_are_offered() {
    assert_first("QueryVmInstance state=Run¦", &["state=Running"]);
    assert_offers("QueryVmInstance state?=Running,¦", &["state?=Running,Stopped"], &["state?=Running,Running"]);
    assert_offers("QueryHost hypervisorType=¦", &["hypervisorType=KVM"], &[]);
    assert_offers("QueryL2Network type=¦", &["type=L2VlanNetwork"], &[]);
    assert_offers("QueryL3Network system=¦", &["system=true", "system=false"], &[]);
    assert_offers("QueryVmInstance count=¦", &["count=true"], &[]);
    assert_offers("QueryVmInstance sortDirection=¦", &["sortDirection=asc", "sortDirection=desc"], &[]);
    assert_offers("QueryVmInstance host.state=¦", &["host.state=Enabled"], &[]);
    assert_offers("DeleteZone deleteMode=¦", &["deleteMode=Permissive", "deleteMode=Enforcing"], &[]);
    assert_offers("ChangeZoneState stateEvent=¦", &["stateEvent=enable", "stateEvent=disable"], &[]);
}

#[test]
fn a_condition_on_the_type_opens_the_special_inventory() {
    assert_offers("QueryHost ¦", &[], &["username="]);
    assert_offers("QueryHost hypervisorType=KVM ¦", &["username="], &[]);
    assert_offers("QueryHost hypervisorType!=KVM ¦", &[], &["username="]);
    assert_offers("QueryL2Network ¦ type=L2VlanNetwork", &["vlan="], &[]);
    assert_offers("QueryHost hypervisorType=KVM fields=¦", &["fields=username,"], &[]);
}

#[test]
fn lists_of_fields_go_comma_by_comma() {
    assert_offers("QueryZone fields=¦", &["fields=uuid,", "fields=name,"], &[]);
    assert_offers("QueryZone fields=uuid,¦", &["fields=uuid,name,"], &["fields=uuid,uuid,"]);
    assert_first("QueryZone fields=uuid,na¦", &["fields=uuid,name,"]);
    assert_offers("QueryVmInstance fields=uuid,vmNics.i¦", &["fields=uuid,vmNics.ip,"], &[]);
    assert_offers("QueryVmInstance fields=vmN¦", &["fields=vmNics,", "fields=vmNics."], &[]);
    assert_offers("QueryVmInstance --columns name,vmNics.i¦", &["name,vmNics.ip,"], &[]);
    assert!(words("QueryVmInstance fields=nothing.i¦").is_empty());
    // Columns are completed by other queries; `fields=` has what rows hold.
    assert_first("QueryVmInstance --columns name,host.na¦", &["name,host.name,"]);
    assert_offers("QueryVmInstance --columns hos¦", &["hostUuid,", "host."], &[]);
    assert_first("QueryVmInstance --columns cluster.zone.na¦", &["cluster.zone.name,"]);
    assert_first("QueryVmInstance --sort-by host.na¦", &["host.name"]);
    assert_offers("QueryVmInstance fields=vmNics.l3Network.na¦", &["fields=vmNics.l3Network.name,"], &[]);
    assert_offers("QueryVmInstance fields=hos¦", &["fields=hostUuid,"], &["fields=host."]);
    assert!(words("QueryVmInstance fields=host.na¦").is_empty());
    assert_first("QueryZone sortBy=na¦", &["sortBy=name"]);
    assert_first("QueryZone sortBy=-na¦", &["sortBy=-name"]);
}

#[test]
fn resources_are_offered_by_name_and_leave_their_uuid() {
    let host = "4a2a7f5d1d934e9eb0a1d1f0aa11bb22";
    assert_offers("CreateVmInstance hostUuid=¦", &[&format!("hostUuid={host}")], &[]);
    assert_first("CreateVmInstance hostUuid=kvm-1¦", &[&format!("hostUuid={host}")]);
    assert_first("CreateVmInstance hostUuid=4a2¦", &[&format!("hostUuid={host}")]);
    assert_first("QueryVmInstance hostUuid=kvm-1¦", &[&format!("hostUuid={host}")]);
    assert_first("QueryVmInstance host.uuid=kvm-1¦", &[&format!("host.uuid={host}")]);
    assert_first("QueryVmInstance lastHostUuid?=x,kvm-1¦", &[&format!("lastHostUuid?=x,{host}")]);
    assert_first("QueryVmInstance name=m¦", &["name='my vm'"]);
    assert_first("QueryVmInstance name=\"my v¦", &["name=\"my vm\""]);
    let only = at("CreateVmInstance hostUuid=kvm-1¦").extension();
    assert_eq!(only, Some((format!("hostUuid={host}"), true)));
    assert_eq!(at("CreateVmInstance hostUuid=¦").candidates[0].description, "kvm-1");
}

#[test]
fn values_that_rows_have_stand_beside_known_ones() {
    assert_offers("QueryVmInstance platform=¦", &["platform=Linux", "platform=Windows"], &[]);
    assert_offers("QueryVmInstance platform?=Linux,¦", &["platform?=Linux,Windows"], &["platform?=Linux,Linux"]);
    assert_offers("QueryVolume vmInstance.platform=W¦", &["vmInstance.platform=Windows"], &[]);
    let types = at("QueryL2Network type=¦");
    let count = |name: &str| types.candidates.iter().filter(|candidate| candidate.label == name).count();
    assert_eq!((count("Odd"), count("L2VlanNetwork"), types.note), (1, 1, Some(Note::More)));
    // Values that the node has not returned yet may have the same prefix.
    assert_eq!(at("QueryL2Network type=L2Vl¦").extension(), None);
    // Values that the catalog knows are offered without asking the node.
    assert_eq!(at("QueryHost hypervisorType=¦").note, None);
    assert_eq!(at("QueryVmInstance architecture=¦").note, Some(Note::NoLiveValues));
}

#[test]
fn a_name_with_a_comma_is_one_member_of_a_list() {
    let words = |line: &str| -> Vec<String> {
        let completion = among(&["a,b", "c"], line);
        completion.candidates.iter().map(|candidate| completion.word(candidate)).collect()
    };
    assert_eq!(words("QueryVmInstance name?="), ["name?='\"a,b\"", "name?=c"]);
    assert_eq!(words("QueryVmInstance name="), ["name=a,b", "name=c"]);
    assert_eq!(words("QueryVmInstance name?=a"), ["name?='\"a,b\""]);
}

#[test]
fn missing_live_values_are_told() {
    assert_eq!(at("CreateVmInstance imageUuid=¦").note, Some(Note::Fetching));
    assert_eq!(at("AttachDataVolumeToVm volumeUuid=¦").note, Some(Note::NoLiveValues));
}

#[test]
fn files_follow_an_at_sign_and_a_redirection() {
    assert_offers("CreateZone name=@¦", &["name=@vms.json", "name=@data/"], &["name=@.hidden"]);
    assert_first("CreateZone name=@data/¦", &["name=@data/'my file.json'"]);
    assert_first("CreateZone name=@.h¦", &["name=@.hidden"]);
    assert!(words("CreateZone name=@@¦").is_empty());
    assert_offers("QueryZone > ¦", &["vms.json"], &[]);
    assert_offers("QueryZone >> da¦", &["data/"], &["vms.json"]);
    assert_offers("run ¦", &["vms.json"], &[]);
}

#[test]
fn own_commands_go_on_word_by_word() {
    assert_offers("context ¦", &["list", "use", "set", "show", "delete"], &[]);
    assert_offers("context use ¦", &["lab", "production"], &[]);
    assert_first("help QueryBa¦", &["QueryBackupStorage"]);
    assert_offers("help job ¦", &["list", "show", "wait"], &["QueryZone"]);
    assert!(words("help QueryZone ¦").is_empty() && words("help job list ¦").is_empty());
    assert_offers("help ¦", &["query", "exit-codes", "context", "QueryZone"], &[]);
    assert_first("catalog show qbs¦", &["QueryBackupStorage"]);
    assert_offers("context set ¦", &["lab"], &["url="]);
    assert_offers("context set lab ¦", &["url=", "account=", "output=", "prompt-color="], &["lab"]);
    assert_offers("context set lab url=http://h output=¦", &["output=json", "output=table"], &[]);
    assert_offers("context set lab output=json ¦", &["url=", "login="], &["output="]);
    assert_offers("context set lab login=ia¦", &["login=iam2", "login=iam2-ldap"], &[]);
    assert!(words("context set lab account=¦").is_empty() && words("context use lab ¦").is_empty());
    assert_offers("set ¦", &["output", "confirm", "live"], &[]);
    assert_offers("set output ¦", &["json", "table"], &[]);
    assert_offers("completions ¦", &["bash", "zsh", "fish"], &[]);
    assert_offers("job ¦", &["wait", "list", "show"], &[]);
    assert_offers("sandbox ¦", &["serve", "reset"], &[]);
    // The API `LogIn` has parameters, the command `login` has none.
    assert!(words("login ¦").is_empty());
}

#[test]
fn options_are_offered_with_their_values() {
    assert_offers("-¦", &["--output", "-o", "--sandbox"], &[]);
    assert_offers("QueryZone --o¦", &["--output"], &["--help"]);
    assert_offers("-o ¦", &["json", "table"], &[]);
    assert_offers("QueryZone -o j¦", &["json", "jsonl"], &["table"]);
    assert_offers("--output=j¦", &["--output=json"], &[]);
    assert_offers("--context ¦", &["lab"], &[]);
    assert_first("QueryVmInstance --columns na¦", &["name,"]);
    assert_offers("QueryVmInstance --columns name,u¦", &["name,uuid,"], &["name,name,"]);
    assert_offers("QueryVmInstance --columns=+vm=vmN¦", &["--columns=+vm=vmNics,"], &[]);
    assert_offers("--columns +sta¦ QueryZone", &["+state,"], &["+status,"]);
    assert_offers("QueryZone --sort-by -na¦", &["-name"], &[]);
    assert!(words("help --columns na¦").is_empty());
    assert_offers("--color ¦", &["auto"], &[]);
    assert_offers("login --¦", &["--user", "--iam2-ldap", "--access-key", "--host"], &["--vms"]);
    assert_offers("login --ia¦", &["--iam2", "--iam2-ldap"], &[]);
    assert_offers("-q sandbox serve --¦", &["--bind", "--speed", "--fault", "--seed", "--port"], &["--user"]);
    assert_offers("sandbox serve --fault ¦", &["slow", "cut-after"], &[]);
    assert_offers("sandbox serve --fault=cut¦ --speed 2", &["--fault=cut-before"], &["--fault=slow"]);
    assert_offers("sandbox --¦", &["--port"], &["--bind"]);
    assert!(words("login --user ¦").is_empty());
}

#[test]
fn paths_are_put_right() {
    assert_offers("QueryVmInstance vmnics.l3¦", &["vmNics.l3Network.", "vmNics.l3NetworkUuid="], &["vmNics."]);
    assert_first("QueryVmInstance VMNICS.L3NETWORK.na¦", &["vmNics.l3Network.name="]);
    assert_offers("QueryVmInstance vmNics.l3¦", &["vmNics.l3Network."], &[]);
    assert_first("QueryVmInstance vmnics.ip¦", &["vmNics.ip=", "vmNics.ipVersion="]);
    assert_offers("QueryVmInstance vmnics.ip¦", &["vmNics.ip~=", "vmNics.ip?="], &[]);
    assert!(words("QueryVmInstance nothing.ip¦").is_empty());
}

#[test]
fn tab_extends_what_candidates_share() {
    let extension = |marked: &str| at(marked).extension();
    assert_eq!(extension("querybackupst¦"), Some(("QueryBackupStorage".to_owned(), true)));
    assert_eq!(extension("QueryZo¦"), Some(("QueryZone".to_owned(), true)));
    assert_eq!(extension("QBS¦"), Some(("QueryBackupStorage".to_owned(), true)));
    assert_eq!(extension("BackupStor¦"), Some(("BackupStorage".to_owned(), false)));
    assert_eq!(extension("BackupStorage¦"), None);
    assert_eq!(extension("QVmI¦"), Some(("QueryVmInstance".to_owned(), false)));
    // A match in the middle of a name is listed, but not inserted.
    assert_eq!(extension("QueryVmInstance tform¦"), None);
    assert_eq!(extension("qrybckpstrg¦"), None);
    assert_eq!(extension("QueryZone nam¦"), Some(("name=".to_owned(), false)));
    assert_eq!(extension("QueryVmInstance vmNi¦"), Some(("vmNics.".to_owned(), false)));
    assert_eq!(extension("QueryVmInstance plat¦"), Some(("platform=".to_owned(), false)));
    assert_eq!(extension("¦"), None);
    assert_eq!(extension("QueryZone \"state=En¦"), Some(("\"state=Enabled\"".to_owned(), true)));
}

/// Resources with these names, each with a uuid of its own.
struct Named(&'static [&'static str]);

impl LiveValues for Named {
    fn lookup(&self, _: &str, _: &str) -> Live {
        let value = |(at, name): (usize, &&str)| LiveValue {
            uuid: format!("{at:031x}f"),
            name: (*name).to_owned(),
            about: String::new(),
        };
        Live::Ready(self.0.iter().enumerate().map(value).collect())
    }
}

fn among(names: &'static [&'static str], line: &str) -> Completion {
    let live = Named(names);
    let sources = Sources { live: &live, files: &FakeFiles, ..Sources::of_catalog(Catalog::newest()) };
    complete(line, line.len(), &sources)
}

#[test]
fn an_exact_name_stands_first_and_common_letters_of_names_are_put_in() {
    const IMAGES: &[&str] = &["centos-7.9-dvd", "centos-7.9", "ubuntu"];
    let first = |line: &str| among(IMAGES, line).candidates[0].resource.as_ref().map(|it| it.name.clone());
    for line in ["CreateVmInstance imageUuid=centos-7.9", "QueryImage name=centos-7.9"] {
        assert_eq!(first(line).as_deref(), Some("centos-7.9"), "{line}");
        assert_eq!(among(IMAGES, line).extension(), None, "{line}");
    }
    let extension = |line: &str| among(IMAGES, line).extension().map(|(word, _)| word);
    assert_eq!(extension("CreateVmInstance imageUuid=cen").as_deref(), Some("imageUuid=centos-7.9"));
    assert_eq!(extension("CreateVmInstance imageUuid=7.").as_deref(), Some("imageUuid=7.9"));
    assert_eq!(extension("CreateVmInstance imageUuid=ub").as_deref(), Some(&*format!("imageUuid={:031x}f", 2)));
    assert_eq!(extension("CreateVmInstance imageUuid=untu"), None);
    // One name starts with it, others contain it: each may be meant.
    assert_eq!(
        among(&["web", "my-web"], "QueryVmInstance name=we").extension().map(|(word, _)| word).as_deref(),
        Some("name=web")
    );
    assert_eq!(among(&["web", "my-web"], "QueryVmInstance name=web").extension(), None);
}

#[test]
fn a_field_behind_a_relation_is_offered_where_none_is_nearer() {
    assert_first("QueryVmInstance ip¦", &["vmNics.ip="]);
    assert_eq!(at("QueryVmInstance ip¦").extension(), None);
    assert_offers("QueryVmInstance na¦", &["name="], &["zone.name="]);
}

#[test]
fn common_apis_stand_first() {
    assert_first("QueryVm¦", &["QueryVmInstance", "QueryVmNic"]);
    assert_first("Query¦", &["QueryVmInstance", "QueryHost"]);
    assert_first("StartVm¦", &["StartVmInstance"]);
}

#[test]
fn the_text_behind_the_cursor_is_told() {
    let completion = at("QueryZo¦ne name=x");
    assert_eq!((completion.span, completion.rest.as_str()), (0..7, "ne"));
}

#[test]
fn statements_of_sql_are_completed() {
    assert_offers("sql \"¦", &["\"select", "\"with", "\"explain"], &["\"from"]);
    assert_offers("sql select name from vmi¦", &["vminstance"], &["where"]);
    assert_offers("sql \"select * from host h, clus¦", &["\"select * from host h, cluster"], &[]);
    assert_offers("sql \"select na¦ from vminstance", &["\"select name"], &["\"select nasfilesystem"]);
    assert_offers("sql \"select v.na¦ from vminstance v", &["\"select v.name"], &["\"select v.vminstance"]);
    assert_offers(
        "sql \"select 1 from vminstance v join host h on h.uu¦",
        &["\"select 1 from vminstance v join host h on h.uuid"],
        &[],
    );
    assert_offers("sql \"select 1 from vminstance v where v¦", &["\"select 1 from vminstance v where v."], &[]);
    assert_offers("sql \"select 1 from host group¦", &["\"select 1 from host group"], &[]);
    assert!(words("sql \"select 'na¦ from vminstance").is_empty());
    assert!(words("sql \"select x.na¦ from vminstance v").is_empty());
}

#[test]
fn statements_of_zql_are_completed() {
    assert_offers("zql \"¦", &["\"query", "\"count", "\"sum", "\"search"], &["\"where"]);
    assert_offers("zql \"query ¦", &["\"query vminstance", "\"query distinct("], &[]);
    assert_offers("zql query vminst¦", &["vminstance"], &["where"]);
    assert_offers("zql \"count zone; query max(vminst¦", &["\"count zone; query max(vminstance"], &[]);
    assert_offers("zql \"query zone.¦", &["\"query zone.name", "\"query zone.uuid"], &["\"query zone.isDefault"]);
    assert_offers("zql \"query zone ¦", &["\"query zone where", "\"query zone limit", "\"query zone named"], &[]);
    assert_offers("zql \"query zone wh¦", &["\"query zone where"], &[]);
    let line = "\"query vminstance where (";
    assert_offers(
        &format!("zql {line}¦"),
        &[&format!("{line}name"), &format!("{line}vmNics."), &format!("{line}__userTag__")],
        &[&format!("{line}vmNics"), &format!("{line}and")],
    );
    assert_offers("zql \"query vminstance where vmNics.i¦", &["\"query vminstance where vmNics.ip"], &[]);
    assert_offers("zql \"query vminstance where name = 'x' a¦", &["\"query vminstance where name = 'x' and"], &[]);
    assert_offers("zql \"query vminstance order by n¦", &["\"query vminstance order by name"], &[]);
    assert!(words("zql \"query vminstance where name = 'w¦").is_empty());
}

#[test]
fn lines_print_word_kind_and_description() {
    let sources = Sources { files: &FakeFiles, ..Sources::of_catalog(Catalog::newest()) };
    assert_eq!(complete_lines("QueryZon", &sources), "QueryZone\tapi\tlists zones\n");
    assert!(complete_lines("CreateZone n", &sources).starts_with("name=\tparam\trequired, text\n"));
    assert!(complete_lines("QueryVmInstance vmNics", &sources).contains("vmNics.\texpanded\tleads to NICs\n"));
    assert!(complete_lines("QueryZone state=E", &sources).starts_with("state=Enabled\tvalue\t"));
}

#[test]
fn no_position_is_a_trouble() {
    for line in [
        "=",
        "X =",
        "QueryZone =x",
        "QueryZone .",
        "QueryZone ..=",
        "QueryZone a..b",
        "QueryZone ,=,",
        "é",
        "X é=é",
        "QueryZone name='é",
        "set output x y",
        "QueryZone \\",
        "> x",
        "QueryZone >",
        "zql 'query é.",
        "zql \"query zone where a.é.",
        "zql query max( ; é '",
        "sql \"select é.",
        "sql select [é from \"x, ( ; '",
    ] {
        for cursor in 0..=line.len() + 1 {
            let sources = Sources { live: &FakeNode, files: &FakeFiles, ..Sources::of_catalog(Catalog::newest()) };
            let completion = complete(line, cursor, &sources);
            for candidate in &completion.candidates {
                completion.word(candidate);
                completion.matched(candidate);
            }
            completion.extension();
        }
    }
}

#[test]
fn what_the_machine_keeps_is_offered_the_newest_first() {
    assert_first("more ¦", &["12", "11"]);
    assert_eq!(at("more ¦").candidates[0].description, "QueryZone, 5 min");
    assert_first("save 12,¦", &["12,12", "12,11"]);
    assert_first("job ¦", &["list", "show", "wait", "fcab7f5d1d934e9eb0a1d1f0aa11bb22"]);
    assert_first("job show ¦", &["fcab7f5d1d934e9eb0a1d1f0aa11bb22", "1aab7f5d1d934e9eb0a1d1f0aa11bb22"]);
    assert_eq!(at("job show ¦").candidates[0].description, "StopVmInstance, submitted, 5 s");
    // A job is found by what it does, and is waited for once.
    assert_eq!(words("job wait createz¦"), ["1aab7f5d1d934e9eb0a1d1f0aa11bb22"]);
    assert_eq!(words("job wait fcab7f5d1d934e9eb0a1d1f0aa11bb22 ¦"), ["1aab7f5d1d934e9eb0a1d1f0aa11bb22"]);
    assert_first("catalog use ¦", &["auto", "9.9.1", "5.5.6"]);
    assert_first("catalog diff 9.9.1 ¦", &["9.9.1", "5.5.6"]);
    assert_offers("sandbox serve --version ¦", &["5.5.6"], &["9.9.1"]);
    assert!(words("sandbox seed --vms ¦").is_empty());
}

#[test]
fn resources_that_fit_are_offered_and_others_when_they_are_typed() {
    let db = "uuid=22227f5d1d934e9eb0a1d1f0aa11bb23";
    assert_eq!(
        (words("StartVmInstance uuid=¦"), at("StartVmInstance uuid=¦").note),
        (vec![db.into()], Some(Note::Fitting))
    );
    assert_first("StartVmInstance uuid=my¦", &["uuid=11117f5d1d934e9eb0a1d1f0aa11bb22"]);
    // Nothing is paused.
    let all = at("ResumeVmInstance uuid=¦");
    assert_eq!((all.candidates.len(), all.note), (2, Some(Note::NothingFits)));
    assert_eq!(at("ResumeVmInstance uuid=nowhere¦").note, None);
    // The other words of the line say of which VM.
    assert_eq!(words("MigrateVm vmInstanceUuid='my vm' hostUuid=¦"), ["hostUuid=90ab7f5d1d934e9eb0a1d1f0aa11bb23"]);
    assert_eq!(words("MigrateVm hostUuid=¦ vmInstanceUuid='my vm'").len(), 1);
    assert_eq!(words("MigrateVm hostUuid=¦").len(), 2);
}

#[test]
fn a_value_of_structure_is_written_piece_by_piece() {
    let line = "AddSecurityGroupRule rules=";
    assert_eq!(words(&format!("{line}¦")), [r#"rules='[{"type":""#]);
    assert_first(&format!("{line}[{{¦"), &[r#"rules='[{"type":""#]);
    assert_eq!(
        words(&format!("{line}'[{{\"type\":\"¦")),
        [r#"rules='[{"type":"Ingress""#, r#"rules='[{"type":"Egress""#]
    );
    assert_eq!(words(&format!("{line}'[{{\"type\":\"In¦")), [r#"rules='[{"type":"Ingress""#]);
    let rest = words(&format!("{line}'[{{\"type\":\"Ingress\"¦"));
    assert!(rest.contains(&r#"rules='[{"type":"Ingress","protocol":""#.to_owned()), "{rest:?}");
    assert!(rest.contains(&r#"rules='[{"type":"Ingress"}]'"#.to_owned()), "{rest:?}");
    assert!(!rest.iter().any(|word| word.contains(",\"type")), "{rest:?}");
    assert_first(&format!("{line}'[{{\"type\":\"Ingress\",\"sta¦"), &[r#"rules='[{"type":"Ingress","state":""#]);
    assert_first(&format!("{line}'[{{\"type\":\"Ingress\", ipV¦"), &[r#"rules='[{"type":"Ingress", "ipVersion":"#]);
    assert_first(&format!("{line}'[{{\"startPort\":22¦"), &[r#"rules='[{"startPort":22,"type":""#]);
    assert_offers(&format!("{line}'[{{\"type\":\"Ingress\"}}¦"), &[r#"rules='[{"type":"Ingress"}]'"#], &[]);
    // In double quotes those of JSON are escaped.
    assert_first(&format!("{line}\"[{{\\\"ty¦"), &[r#"rules="[{\"type\":\""#]);
    assert_first(
        "UpdateSecurityGroupRulePriority rules='[{\"ruleUuid\":\"x\",¦",
        &[r#"rules='[{"ruleUuid":"x","priority":"#],
    );
    assert_first("CreateVmInstance diskAOs='[{\"boot\":¦", &[r#"diskAOs='[{"boot":true"#]);
    for odd in ["'[{\"nothing\":¦", "'[}¦", "'[{\"type\" \"¦", "'x¦", "'[{\"type\":\"Ingress\"}]]¦"] {
        assert!(words(&format!("{line}{odd}")).is_empty(), "{odd}");
    }
}

#[test]
fn system_tags_follow_their_patterns() {
    assert_first("CreateVmInstance systemTags=bootM¦", &["systemTags=bootMode::"]);
    let modes = ["Legacy", "UEFI", "UEFI_WITH_CSM"].map(|mode| format!("systemTags=bootMode::{mode}"));
    assert_eq!(words("CreateVmInstance systemTags=bootMode::¦"), modes);
    let numa = ["systemTags=vmNumaEnable::true", "systemTags=vmNumaEnable::false"];
    assert_eq!(words("CreateVmInstance systemTags=vmNumaEnable::¦"), numa);
    let printed = words("CreateVmInstance systemTags=¦").join(" ");
    for placeholder in ["boolean", "PRIORITY_LEVEL", "MDEV", "PCI_", "::CPU", "clusterUuid"] {
        assert!(!printed.contains(placeholder), "{placeholder}: {printed}");
    }
    assert_offers("CreateVmInstance systemTags=bootMode::UEFI,¦", &["systemTags=bootMode::UEFI,staticIp::"], &[]);
    assert_first("CreateVmInstance systemTags=usbRedirect::¦", &["systemTags=usbRedirect::true"]);
    assert_first("CreateVmInstance systemTags=staticI¦", &["systemTags=staticIp::"]);
    let at_host = at("CreateDataVolume systemTags=localStorage::hostUuid::¦");
    assert_eq!(at_host.candidates.len(), 2);
    assert_first(
        "CreateDataVolume systemTags=localStorage::hostUuid::kvm-1¦",
        &["systemTags=localStorage::hostUuid::4a2a7f5d1d934e9eb0a1d1f0aa11bb22"],
    );
    let secret = at("CreateVmInstance systemTags=consolePassword::¦");
    assert_eq!((secret.candidates.len(), secret.note), (0, Some(Note::Secret)));
    assert!(words("CreateVmInstance systemTags=nothing::¦").is_empty());
}

#[test]
fn a_filter_is_offered_the_members_of_the_reply() {
    assert_eq!(words("QueryZone | ¦"), [".inventories[]", ".total"]);
    assert_first("QueryZone | .inv¦", &[".inventories[]"]);
    assert_offers("-o json queryzone name=a | .inventories[].¦", &[".inventories[].name", ".inventories[].uuid"], &[]);
    assert_first("QueryVmInstance | .inventories[].vmN¦", &[".inventories[].vmNics[]"]);
    assert_first("QueryVmInstance | .inventories[0].vmNics[].ma¦", &[".inventories[0].vmNics[].mac"]);
    assert_offers("QueryVmInstance | .inventories | map(select(.sta¦", &[".inventories | map(select(.state"], &[]);
    for expression in
        ["[.inventories[] | select(.state == \"Running\") | .vmNics[].i", ".inventories[] | {name, ip: .vmNics[0].i"]
    {
        assert_first(&format!("QueryVmInstance | {expression}¦"), &[&format!("{expression}p")]);
    }
    assert_first("CreateZone name=a | .inventory.na¦", &[".inventory.name"]);
    for nowhere in ["QueryZone | .inventories.¦", "QueryZone | .bogus.¦", "QueryZone |! .inv¦", "zql query zone | .¦"]
    {
        assert!(words(nowhere).is_empty(), "{nowhere}");
    }
    assert_first("QueryZone --jq .inventories[].na¦", &[".inventories[].name"]);
    assert_first("--jq '.inv¦' QueryZone", &["'.inventories[]"]);
}

#[test]
fn columns_are_set_for_all_queries_or_for_one() {
    assert_offers("set columns ¦", &["QueryZone", "default", "uuid", "name"], &["CreateZone"]);
    assert_offers("set --save columns QueryVmI¦", &["QueryVmInstance"], &[]);
    assert_offers("set columns name,¦", &["name,state"], &["name,name", "name,QueryZone"]);
    assert_offers("set columns QueryVmInstance ¦", &["cpuNum,", "vmNics."], &[]);
    assert_offers("set columns QueryVmInstance name,cp¦", &["name,cpuNum,"], &[]);
}
