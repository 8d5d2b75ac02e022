//! A job that dies while a program is the target: the run by schedule finishes its rollout, or takes it back past its deadline.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

use crate::workbench::{CONFIG, Workbench};

/// Runs by schedule within which every rollout here has ended.
const PATIENCE: usize = 100;
const STATE: &str = ".tagship/hook";

/// A target with its memory in files: versions with their digests, and who is served. Once it kills whoever asks, after it
/// has done what was asked; and it may say of shares for ever that they are under way.
const HOOK: &str = r#"#!/bin/sh
question="$(cat)"
value() { printf '%s' "$question" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }
cd .tagship/hook || exit 1
verb="$(value verb)"
version="$(value version)"
served="$(cat served)"
code=0
case "$verb" in
  capabilities) echo '{"weights": false, "counters": false, "endpoints": false}' ;;
  observe)
    arms=""
    for arm in $(ls arms); do
      weight=0
      if [ "$arm" = "$served" ]; then weight=100; fi
      arms="$arms${arms:+,}{\"version\":\"$arm\",\"digest\":\"$(cat "arms/$arm")\",\"ready\":true,\"weight\":$weight}"
    done
    echo "{\"arms\":[$arms]}" ;;
  prepare) value digest > "arms/$version" ;;
  set-weight | promote) if [ -e stalls ]; then code=11; else echo "$version" > served; fi ;;
  rollback) value to > served ;;
  cleanup) rm -f "arms/$version" ;;
  *) code=13 ;;
esac
if [ "$verb" = "$(cat dies)" ]; then echo > dies; kill -9 $PPID; fi
exit $code
"#;

/// Version v0.1.0 serves, and v0.2.0 is ready to be released.
fn bench(deadline: &str) -> Workbench {
    let bench = Workbench::new();
    let local = CONFIG.lines().find(|line| line.contains("target:")).unwrap();
    let golden = CONFIG.lines().find(|line| line.contains("golden:")).unwrap();
    let target = format!(
        "        target: {{ exec: {{ command: [\"./deploy/hook.sh\"] }} }}\n        progress-deadline: {deadline}"
    );
    let config = CONFIG.replace(&format!("{golden}\n"), "").replace(local, &target);
    bench.clone.write("tagship.yml", config);
    let hook = bench.clone.write("deploy/hook.sh", HOOK);
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    for file in ["served", "dies"] {
        bench.clone.write(&format!("{STATE}/{file}"), "\n");
    }
    fs::create_dir_all(bench.clone.path().join(STATE).join("arms")).unwrap();
    bench.push("Serve by a program");
    bench.run_push().assert_code(0);
    assert_eq!(served(&bench), "v0.1.0");
    bench.put("v2");
    bench.push("Bring v2");
    bench
}

fn served(bench: &Workbench) -> String {
    let text = fs::read_to_string(bench.clone.path().join(STATE).join("served")).unwrap();
    text.trim().to_owned()
}

/// The job that leads the rollout is killed once the program has done this.
fn dies_at(bench: &Workbench, verb: &str) {
    bench.clone.write(&format!("{STATE}/dies"), format!("{verb}\n"));
    let killed = bench.run_push();
    assert!(![0, 1, 2, 3, 4, 5, 6].contains(&killed.code), "{verb}: {} {}", killed.code, killed.stderr);
}

/// Runs by schedule until nothing is left to do; answers the exit code of the one that ended it.
fn scheduled(bench: &Workbench) -> i32 {
    for _ in 0..PATIENCE {
        let done = bench.run(&["rollout", "--all", "--once"]);
        if done.code != 6 {
            return done.code;
        }
        pause(200);
    }
    panic!("it does not end");
}

#[allow(clippy::disallowed_methods, reason = "a deadline of the real program passes")]
fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_rollout_whose_job_died_is_finished_by_the_run_by_schedule() {
    for verb in ["prepare", "observe", "set-weight", "promote", "cleanup"] {
        let bench = bench("10m");
        dies_at(&bench, verb);
        assert_eq!(scheduled(&bench), 0, "{verb}");
        assert_eq!(served(&bench), "v0.2.0", "{verb}");
        assert_eq!(bench.production().as_deref(), Some("v0.2.0"), "{verb}");
    }
}

#[test]
fn a_rollout_whose_job_died_and_that_gets_no_further_is_taken_back_past_its_deadline() {
    let bench = bench("20s");
    bench.clone.write(&format!("{STATE}/stalls"), "");
    dies_at(&bench, "set-weight");
    // Whoever comes before the deadline waits.
    bench.run(&["rollout", "--all", "--once"]).assert_code(6);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(scheduled(&bench), 1);
    assert_eq!(served(&bench), "v0.1.0");
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    let status = bench.run(&["status"]);
    assert!(status.stdout.contains("v0.2.0 rolled back"), "{}", status.stdout);
}
