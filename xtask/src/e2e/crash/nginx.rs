//! nginx as a stage has it: one that shares the traffic as the sample hook tells it, and one more for every version, which
//! answers with that version's name.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tagship_testkit::{Cli, Running};

use super::{http, model_server::until, points::Switch};

/// Backends of one model at most: two versions, and one that is on its way out.
const BACKENDS: u16 = 4;
/// Where ports are looked for, so that no two stages choose the same.
static NEXT_PORT: AtomicU16 = AtomicU16::new(18_000);

/// What the hook starts for a version: `backend MODEL VERSION BYTES PORT`.
const BACKEND: &str = r#"#!/bin/sh
here="$(dirname "$3")/nginx"
mkdir -p "$here"
cat >"$here/nginx.conf" <<END
daemon off; worker_processes 1; pid $here/pid; error_log stderr;
events { }
http { access_log off; client_body_temp_path $here/b; proxy_temp_path $here/p; fastcgi_temp_path $here/f;
  uwsgi_temp_path $here/u; scgi_temp_path $here/s;
  server { listen 127.0.0.1:$4; location / { return 200 "$2"; } } }
END
exec NGINX -p "$here" -c "$here/nginx.conf"
"#;

/// Reads what a hook is asked, and of that the verb.
const VERB: &str = r#"ask=$(cat); verb=${ask#*'"verb":"'}; verb=${verb%%'"'*}"#;

/// A running proxy with the hook that leads it.
pub(super) struct Nginx {
    running: Option<Running>,
    home: PathBuf,
    hook: PathBuf,
    address: String,
}

impl Nginx {
    /// Starts it in a directory.
    pub(super) fn start(program: &Path, hooks: &Path, home: &Path, switch: &Arc<Switch>) -> Result<Self> {
        let (state, ports) = (home.join("state"), free_ports()?);
        let upstream = state.join("churn/upstream.conf");
        let put = |path: &Path, text: &str| {
            fs::create_dir_all(path.parent().unwrap_or(home)).and_then(|()| fs::write(path, text))
        };
        put(&upstream, "upstream churn { server 127.0.0.1:1 down; }\n")?;
        let (at, pid) = (home.display(), home.join("pid"));
        let conf = format!(
            "daemon off; worker_processes 1; pid {}; error_log stderr;\nevents {{ }}\nhttp {{\n\
             access_log off; client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n include {};\n\
             server {{ listen 127.0.0.1:{ports}; location / {{ proxy_pass http://churn; }} }} }}\n",
            pid.display(),
            upstream.display()
        );
        let conf_file = home.join("nginx.conf");
        put(&conf_file, &conf)?;
        let backend = home.join("backend");
        put(&backend, &BACKEND.replace("NGINX", &program.display().to_string()))?;
        fs::set_permissions(&backend, fs::Permissions::from_mode(0o755))?;
        let settings = json!({
            "directory": state, "ports": [ports + 1, ports + BACKENDS], "start": [backend],
            "model-path": "/v2/models/{model}", "ready-path": "/ready",
            "reload": [program, "-c", conf_file, "-p", home, "-s", "reload"],
        });
        put(&home.join("hook.json"), &settings.to_string())?;
        let running = Cli::new(program).arg("-c").arg(&conf_file).arg("-p").arg(home).start();
        until("nginx", || fs::read_to_string(&pid).ok().filter(|text| !text.trim().is_empty()))?;
        // Without what the system adds to Python: most of the time of a stage is Python's start, once for each question.
        let call = format!(r#"printf '%s' "$ask" | python3 -S '{}' "$@""#, hooks.join("nginx.py").display());
        let hook = switch.wrap("hook", [VERB, "hook $verb", &call])?;
        Ok(Self {
            running: Some(running),
            home: home.to_owned(),
            hook,
            address: format!("127.0.0.1:{ports}"),
        })
    }

    /// Settings of the target.
    pub(super) fn target(&self) -> String {
        let (hook, settings) = (self.hook.display(), self.home.join("hook.json"));
        format!(r#"{{ exec: {{ command: ["{hook}", "{}"], timeout: 30s }} }}"#, settings.display())
    }

    /// Versions that the hook has loaded, with the shares that a hundred requests were really shared by. Workers of before
    /// a reload may answer the first of them.
    pub(super) fn weights(&self) -> Result<BTreeMap<String, u64>> {
        let arms = self.arms()?;
        let wanted: BTreeMap<String, u64> = arms
            .iter()
            .map(|(version, arm)| (version.clone(), arm["weight"].as_u64().unwrap_or_default()))
            .collect();
        let counted = || {
            let mut counted: BTreeMap<String, u64> = wanted.keys().map(|arm| (arm.clone(), 0)).collect();
            for _ in 0..100 {
                *counted.entry(http::ask(&self.address, "GET /", "", "").ok()?).or_default() += 1;
            }
            (counted == wanted).then_some(counted)
        };
        until(&format!("traffic by {wanted:?}"), counted)
    }

    fn arms(&self) -> Result<serde_json::Map<String, Value>> {
        let text =
            fs::read_to_string(self.home.join("state/churn/state.json")).context("read the hook's state")?;
        let state: Value = serde_json::from_str(&text).context("the hook's state is JSON")?;
        Ok(state["arms"].as_object().cloned().unwrap_or_default())
    }
}

impl Drop for Nginx {
    /// Backends outlive the hook that started them.
    fn drop(&mut self) {
        for (_, arm) in self.arms().unwrap_or_default() {
            let pid = arm["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process_group(pid, Signal::TERM));
        }
        // A master that is killed leaves its workers behind.
        if let Some(running) = self.running.take() {
            running.terminate();
            running.wait();
        }
    }
}

/// The first of some ports in a row that nobody listens on.
fn free_ports() -> Result<u16> {
    for _ in 0..1000 {
        let first = NEXT_PORT.fetch_add(BACKENDS + 1, Ordering::SeqCst);
        let all = (first..=first + BACKENDS).map(|port| TcpListener::bind(("127.0.0.1", port)));
        if all.collect::<std::io::Result<Vec<_>>>().is_ok() {
            return Ok(first);
        }
    }
    anyhow::bail!("no ports are free on this machine")
}
