//! `tagship monitor site`: everything that is known, as a folder of pages.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{Environment, Exit, ModelName, monitor::MonitorReport};
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
    let text =
        written(workspace, args.common.model.as_ref(), args.common.environment.as_ref(), &args.out).await?;
    let json = json_sentence(text.trim_end());
    Ok(Answer::plain(Exit::Done, "written", "done", text, json))
}

/// Writes the pages of all models and environments, or of those that are named, and says where.
///
/// # Errors
/// When a journal cannot be read, or the folder cannot be written or is somebody else's.
pub(super) async fn written(
    workspace: &Workspace,
    model: Option<&ModelName>,
    environment: Option<&Environment>,
    out: &Path,
) -> Result<String, Failure> {
    let mut reports: Vec<MonitorReport> = vec![];
    for (name, settings, place, own) in workspace.places() {
        let is_wanted = model.is_none_or(|model| model == name)
            && environment.is_none_or(|environment| environment == place);
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
    write::directory(out, &files)?;
    Ok(format!("{} pages in {}; open {}\n", files.len(), out.display(), out.join("index.html").display()))
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
