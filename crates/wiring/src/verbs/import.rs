//! `tagship import`: a specification of another system as a configuration. Needs neither a repository nor a network.

use std::{fmt::Write as _, path::Path};

use tagship_domain::{
    Exit,
    import::{ImportKind, ImportNote},
    schema,
};
use tagship_import::{ImportError, Naming, SourceFile, System, import};
use tagship_report::terminal;
use tagship_runner::{
    Context, Failure, Screen,
    args::{Format, ImportArgs, ImportedSystem},
    files,
    write::{self, Existing},
};

use crate::answer::Answer;

/// Largest file that is read.
const LARGEST: u64 = 1 << 20;

pub(crate) fn run(args: &ImportArgs, context: &Context) -> Result<Answer, Failure> {
    let texts = args.files.iter().map(|path| text(path)).collect::<Result<Vec<_>, _>>()?;
    let named = texts.iter().map(|(name, text)| SourceFile { name, text });
    let naming = Naming { model: args.model.clone(), environment: args.environment.clone() };
    let system = match args.system {
        ImportedSystem::Argo => System::Argo,
        ImportedSystem::Flagger => System::Flagger,
    };
    let found = import(system, &named.collect::<Vec<_>>(), &naming).map_err(failed)?;
    let screen = Screen::of(context, false);
    if args.format == Format::Text {
        screen.say(&table(&found.notes, &screen));
    }
    let mut text = found.config.clone();
    if let Some(path) = &args.output {
        let existing = if args.force { Existing::Replace } else { Existing::Keep };
        write::shared(path, &found.config, existing)?;
        text = format!("wrote {}\n", path.display());
    }
    let json = schema::to_json(&found).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "imported", "done", text, json))
}

fn text(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    let failed = |why: String| Failure::usage(format!("read {name}: {why}"));
    let bytes = files::read(path, LARGEST).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| failed(format!("it is no text: {error}")))?;
    Ok((name, text))
}

fn failed(error: ImportError) -> Failure {
    match error {
        ImportError::Count { found, help } => Failure::usage(format!("import: {found} found")).hint(help),
        ImportError::Refused(_) => Failure::incomplete(format!("import: {error}")),
        error => Failure::usage(format!("import: {error}")),
    }
}

/// Every note, and how many there are of each kind.
fn table(notes: &[ImportNote], screen: &Screen) -> String {
    let style = terminal::Style { color: false, ..crate::style(screen) };
    let row = |note: &ImportNote| vec![note.kind.as_str().to_owned(), format!("{}: {}", note.at, note.text)];
    let mut text =
        terminal::table(&["NOTE", "WHERE AND WHAT"], &notes.iter().map(row).collect::<Vec<_>>(), &style);
    let count = |kind: ImportKind| notes.iter().filter(|note| note.kind == kind).count();
    let (differs, left_out) = (count(ImportKind::Differs), count(ImportKind::LeftOut));
    let by_hand = count(ImportKind::ByHand);
    let _ = writeln!(
        text,
        "{differs} differ, {left_out} are left out, {by_hand} ask for you; all stand in the file too"
    );
    text
}
