//! An environment on its way into a configuration: what is known is put in, and what the configuration would refuse is
//! brought into a form that it takes, on the side of more caution.

use serde_json::{Map, Value, json};
use tagship_config::{DEFAULT_INTERVAL, DEFAULT_MAX_WAIT};
use tagship_domain::{Duration, Environment, ModelName, routing::HeaderMatch};

use crate::{
    ImportError, Naming, System,
    metric::Metric,
    notes::{About, Notes, printable},
    span,
    steps::Steps,
    yaml::{self, Entry, Item, Yaml},
};

/// Share in percent that takes the place of requests that are not chosen: a small one, for how many those are is not known.
pub(crate) const SMALL: u8 = 5;

/// How traffic moves.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    AllAtOnce,
    Canary { steps: Steps, sticky: Option<String> },
    BlueGreen { preview: Duration, auto_promote: bool, mirror: u8 },
    Ab { share: u8, sticky: String, length: Duration },
    Matched { rule: HeaderMatch, length: Duration },
}

/// What an environment will say.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    model: ModelName,
    environment: Environment,
    /// The specification that it comes from, e.g. `Rollout/web`.
    origin: String,
    pub(crate) way: Way,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) max_wait: Duration,
    pub(crate) bake: Duration,
    pub(crate) scale_down_delay: Option<Duration>,
    pub(crate) abort_scale_down_delay: Option<Duration>,
    pub(crate) progress_deadline: Option<Duration>,
    pub(crate) notify: Vec<(&'static str, Map<String, Value>)>,
    /// Whether a person has to promote, because something that would have decided was not carried over.
    pub(crate) person: bool,
}

impl Draft {
    /// Nothing but what it is called.
    ///
    /// # Errors
    /// When no name can be made for the model.
    pub(crate) fn new(
        name: &str,
        origin: String,
        naming: &Naming,
        notes: &Notes,
    ) -> Result<Self, ImportError> {
        let model = match &naming.model {
            Some(model) => model.clone(),
            None => model_name(name, &origin, notes)?,
        };
        Ok(Self {
            model,
            environment: naming.environment.clone(),
            origin,
            way: Way::AllAtOnce,
            metrics: vec![],
            max_wait: DEFAULT_MAX_WAIT,
            bake: Duration::default(),
            scale_down_delay: None,
            abort_scale_down_delay: None,
            progress_deadline: None,
            notify: vec![],
            person: false,
        })
    }

    /// The time between two looks: the shortest that a metric asks for.
    fn interval(&self) -> Duration {
        let shortest = self.metrics.iter().map(|metric| metric.interval).min();
        shortest.unwrap_or(DEFAULT_INTERVAL).max(Duration::from_secs(1))
    }

    /// Brings everything into a form that the configuration takes.
    pub(crate) fn finish(mut self, notes: &Notes) -> Self {
        if self.person {
            self.ask_a_person(notes);
        }
        if !self.metrics.is_empty() && self.metrics.iter().all(|metric| metric.dry_run) {
            let text = "every metric only advises, there as here, so that none of them is carried over";
            notes.left_out(About::Environment, &self.origin, text);
            self.metrics.clear();
        }
        self.measure(notes);
        self.agree_on_an_interval(notes);
        self
    }

    fn ask_a_person(&mut self, notes: &Notes) {
        match &mut self.way {
            Way::AllAtOnce => {
                self.way = Way::BlueGreen { preview: Duration::default(), auto_promote: false, mirror: 0 };
            }
            Way::Canary { steps, .. } => steps.person(),
            Way::BlueGreen { auto_promote, .. } => *auto_promote = false,
            Way::Ab { share, sticky, length } => {
                let (mut steps, sticky) = (Steps::default(), Some(sticky.clone()));
                steps.weight(*share, "", &Notes::default());
                steps.pause(*length);
                steps.person();
                self.way = Way::Canary { steps, sticky };
            }
            Way::Matched { rule, length } => {
                let text = format!(
                    "a person has to promote, which an A/B test never asks for: {SMALL}% of all requests get the candidate, \
                     by chance, instead of those with `{rule}`"
                );
                notes.by_hand(About::Key("strategy"), &self.origin, text);
                let mut steps = Steps::default();
                steps.weight(SMALL, "", &Notes::default());
                steps.pause(*length);
                steps.person();
                self.way = Way::Canary { steps, sticky: None };
            }
        }
    }

    /// Metrics need a time in which the candidate answers something.
    fn measure(&mut self, notes: &Notes) {
        let is_measured = match &self.way {
            Way::AllAtOnce => false,
            Way::BlueGreen { mirror, .. } => *mirror > 0,
            Way::Canary { .. } | Way::Ab { .. } | Way::Matched { .. } => true,
        };
        if is_measured || self.metrics.is_empty() || self.bake > Duration::default() {
            return;
        }
        let needed = self.metrics.iter().map(Metric::length).max().unwrap_or_default();
        self.bake = needed.max(self.interval());
        let text = format!(
            "nothing on the way shows the metrics here, so that they are measured for {} with all traffic, before the \
             version is stable",
            self.bake
        );
        notes.differs(About::Key("bake"), &self.origin, text);
    }

    /// Looks are taken at all metrics at once; what counts looks is scaled to the same time.
    fn agree_on_an_interval(&mut self, notes: &Notes) {
        let interval = self.interval();
        for metric in &mut self.metrics {
            let (own, step) = (span::millis(metric.interval), span::millis(interval));
            let factor = own.div_ceil(step).max(1);
            if own != step {
                let text = format!(
                    "it is looked at every {interval} like the others, there every {}; its counts of looks are times \
                     {factor}, and its limits are kept, which is stricter",
                    metric.interval
                );
                notes.differs(About::Metric(metric.name.clone()), &self.origin, text);
            }
            for looks in [&mut metric.count, &mut metric.consecutive_success_limit].into_iter().flatten() {
                *looks = looks.saturating_mul(factor);
            }
            metric.interval = interval;
            let needed = span::times(metric.length(), 2);
            self.max_wait = self.max_wait.max(needed);
        }
    }

    /// The text of the file.
    pub(crate) fn render(&self, system: System, notes: &Notes) -> String {
        let system = match system {
            System::Argo => "argo",
            System::Flagger => "flagger",
        };
        let key = |key: &str, value: Yaml| {
            Entry::new(key, value)
                .noted(notes.about(|about| matches!(about, About::Key(known) if *known == key)))
        };
        let mut environment = vec![key("target", Yaml::Word("local".to_owned()))];
        environment.push(key("strategy", self.strategy(notes)));
        if !self.metrics.is_empty() {
            environment.push(key("analysis", self.analysis(notes)));
        }
        let mut put = |name: &str, length: Option<Duration>| {
            environment.extend(length.map(|length| key(name, Yaml::Word(length.to_string()))));
        };
        put("bake", Some(self.bake).filter(|bake| *bake > Duration::default()));
        put("scale-down-delay", self.scale_down_delay);
        put("abort-scale-down-delay", self.abort_scale_down_delay);
        put("progress-deadline", self.progress_deadline.filter(|length| *length > Duration::default()));
        if !self.notify.is_empty() {
            let item = |(kind, settings): &(&'static str, Map<String, Value>)| Item {
                comments: vec![],
                value: json!({ *kind: settings }).into(),
            };
            environment.push(key("notify", Yaml::List(self.notify.iter().map(item).collect())));
        }
        let written: Vec<&str> = environment.iter().map(|entry| entry.key.as_str()).collect();
        let is_elsewhere = |about: &About| match about {
            About::Environment => true,
            About::Key(key) => !written.contains(key),
            About::Step(_) => !matches!(self.way, Way::Canary { .. }),
            About::Metric(name) => self.metrics.iter().all(|metric| metric.name != *name),
        };
        let comments = notes.about(is_elsewhere);
        let named = Entry::new(self.environment.as_str(), Yaml::Mapping(environment)).noted(comments);
        let model = vec![
            Entry::new(
                "artifact",
                Value::from(format!("models/{}", self.model.as_str().replace(':', "/"))).into(),
            )
            .noted(notes.about(|about| *about == About::Key("artifact"))),
            Entry::new("environments", Yaml::Mapping(vec![named])),
        ];
        let models = vec![Entry::new(self.model.as_str(), Yaml::Mapping(model))];
        let head = vec![
            format!("Made by `tagship import {system}` from {}. Each comment is a difference:", self.origin),
            "`differs` behaves in another way, `left out` has no counterpart, `by hand` asks for you."
                .to_owned(),
        ];
        yaml::write(&[
            Entry::new("version", json!(1).into()).noted(head),
            Entry::new("models", Yaml::Mapping(models)),
        ])
    }

    fn strategy(&self, notes: &Notes) -> Yaml {
        match &self.way {
            Way::AllAtOnce => Yaml::Word("all-at-once".to_owned()),
            Way::BlueGreen { preview, auto_promote, mirror } => {
                let mut settings = json!({ "preview": preview.to_string(), "auto-promote": auto_promote });
                if *mirror > 0 {
                    settings["mirror"] = json!(mirror);
                }
                Yaml::Mapping(vec![Entry::new("blue-green", settings.into())])
            }
            Way::Ab { share, sticky, length } => {
                let settings = json!({ "share": share, "sticky": sticky, "for": length.to_string() });
                Yaml::Mapping(vec![Entry::new("a-b", settings.into())])
            }
            Way::Matched { rule, length } => {
                let rule = json!({ "header": rule.header, "exact": rule.exact });
                let settings = json!({ "match": rule, "for": length.to_string() });
                Yaml::Mapping(vec![Entry::new("a-b", settings.into())])
            }
            Way::Canary { steps, sticky } => {
                let list = steps.list();
                let item = |(index, step): (usize, &crate::steps::Step)| {
                    Item {
                    // What is said about a step that did not come about stands at the last one.
                    comments: notes.about(|about| {
                        matches!(about, About::Step(at) if *at == index || (index + 1 == list.len() && *at > index))
                    }),
                    value: step.yaml(),
                }
                };
                let items = list.iter().enumerate().map(item).collect();
                let mut settings = vec![Entry::new("steps", Yaml::List(items))];
                if let Some(header) = sticky {
                    settings.insert(0, Entry::new("sticky", Value::from(header.as_str()).into()));
                }
                Yaml::Mapping(vec![Entry::new("canary", Yaml::Mapping(settings))])
            }
        }
    }

    fn analysis(&self, notes: &Notes) -> Yaml {
        let mut entries = vec![Entry::new("interval", Yaml::Word(self.interval().to_string()))];
        if self.max_wait > DEFAULT_MAX_WAIT {
            entries.push(Entry::new("max-wait", Yaml::Word(self.max_wait.to_string())));
        }
        let item = |metric: &Metric| Item {
            comments: notes.about(|about| *about == About::Metric(metric.name.clone())),
            value: metric.yaml(),
        };
        entries.push(Entry::new("metrics", Yaml::List(self.metrics.iter().map(item).collect())));
        Yaml::Mapping(entries)
    }
}

/// The name of the specification as the name of a model.
fn model_name(name: &str, origin: &str, notes: &Notes) -> Result<ModelName, ImportError> {
    if let Ok(name) = ModelName::new(name) {
        return Ok(name);
    }
    let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = clean.split('-').filter(|part| !part.is_empty()).collect();
    let found = ModelName::new(parts.join("-"));
    let name = found.map_err(|_other| {
        let message = format!("{origin}: its name makes no name of a model; pass one with --model");
        ImportError::Malformed(vec![printable(&message)])
    })?;
    let text = format!("a model cannot be called so here; it is called {name}");
    notes.differs(About::Key("artifact"), format!("{origin} metadata.name"), text);
    Ok(name)
}
