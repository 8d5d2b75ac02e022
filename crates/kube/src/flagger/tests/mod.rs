mod journeys;
mod orders;
mod rights;
mod stage;
mod truth;
