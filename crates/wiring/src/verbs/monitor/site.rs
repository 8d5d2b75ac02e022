//! `tagship monitor site`: everything that is known, as a folder of pages.

use std::collections::BTreeMap;

use tagship_domain::{Exit, monitor::MonitorReport};
use tagship_ports::journal_ref::part;
use tagship_report::html::{self, Place as Page};
use tagship_runner::{Failure, args::SiteArgs, write};

use crate::{
    answer::Answer,
    monitoring::known::known,
    pipeline::{Place, json_sentence},
    workspace::Workspace,
};

/// From a page of a model to the page that lists all.
const HOME: &str = "../../index.html";

pub(super) async fn run(args: &SiteArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (model, environment) = (&args.common.model, &args.common.environment);
    let mut reports: Vec<MonitorReport> = vec![];
    for (name, settings, place, own) in workspace.places() {
        let is_wanted = model.as_ref().is_none_or(|model| model == name)
            && environment.as_ref().is_none_or(|environment| environment == place);
        if is_wanted {
            let place = Place { name, model: settings, environment: place, settings: own };
            reports.push(known(workspace, place).await?);
        }
    }
    if reports.is_empty() {
        return Err(Failure::usage("no configured model and environment is what was asked for")
            .hint("`tagship status` lists them"));
    }
    let files = site(&reports, workspace);
    let count = files.len();
    write::directory(&args.out, &files)?;
    let text =
        format!("{count} pages in {}; open {}\n", args.out.display(), args.out.join("index.html").display());
    let json = json_sentence(text.trim_end());
    Ok(Answer::plain(Exit::Done, "written", "done", text, json))
}

/// Every page by its path. A name that holds `/` is one part of a path, so that all pages lie equally deep.
fn site(reports: &[MonitorReport], workspace: &Workspace) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut listed = vec![];
    for report in reports {
        let (model, environment) = (part(report.model.as_str()), part(report.environment.as_str()));
        let path = format!("models/{model}/{environment}.html");
        files.insert(path.clone(), html::monitor(report, Some(HOME)));
        listed.push(Page { report, href: path });
    }
    files.insert("index.html".to_owned(), html::index(&listed, workspace.clock.now()));
    files
}
