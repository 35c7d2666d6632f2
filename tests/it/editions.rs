//! The sandbox as other nodes: of another edition, of an older version.

use crate::harness::Home;
use crate::served::Served;

#[test]
fn a_sandbox_of_the_open_edition_lacks_the_premium_apis() {
    let served = Served::start(&["--edition", "open"]);
    let home = Home::new();
    served.log_in(&home);
    let offered = served.run(&home, &["GetSupportAPIs", "-o", "json"]).succeeds();
    offered.stdout_has("\"APIQueryZoneMsg\"").never_shows("APIGetLicenseInfoMsg");
    served.run(&home, &["QueryZone", "fields=name", "-o", "value"]).succeeds().stdout_has("zone-1");
}

#[test]
fn a_sandbox_plays_an_older_node() {
    let served = Served::start(&["--version", "4.8.0"]);
    let home = Home::new();
    served.log_in(&home);
    served.run(&home, &["GetVersion", "-o", "json"]).succeeds().stdout_has("\"4.8.0\"");
}

#[test]
fn a_sandbox_is_not_served_as_what_there_is_not() {
    let home = Home::new();
    for (option, told) in [
        (["--edition", "closed"], "unknown edition `closed`; there are full, open"),
        (["--version", "newest"], "`newest` is not a ZStack version such as 5.5.6"),
    ] {
        let run = home.run(["sandbox", "serve", "--port", "0"].iter().chain(&option)).fails(2);
        run.stdout("").stderr(&format!("error: {}: {told}\n", option[0]));
    }
}
