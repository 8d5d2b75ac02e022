//! Globals that are let through in exact forms only.

use super::{check, global, sound, stream, text};
use crate::build::{judge, passes, rules};

#[test]
fn time_zones_are_made_of_their_names_alone() {
    let getattr = global("builtins", "getattr");
    let class = global("zoneinfo", "ZoneInfo");
    let zone = |name: &[u8]| stream(&[&getattr, &class, &text("_unpickle"), b"\x86R", name, b"K\x01\x86R"]);
    sound(&zone(&text("Europe/Berlin")));
    sound(&zone(&text("Etc/GMT+5")));
    for name in ["../../etc/passwd", "/etc/passwd", "Europe/", "a.b", ""] {
        check(&zone(&text(name)), "PKL106");
    }
    check(&zone(b"K\x01"), "PKL106");
    let by_name = |class: &[u8], name: &str| stream(&[&getattr, class, &text(name), b"\x86R"]);
    check(&by_name(&class, "no_cache"), "PKL101");
    check(&by_name(&global("numpy", "ndarray"), "_unpickle"), "PKL101");
    check(&by_name(&text("x"), "_entropy"), "PKL101");
    check(&by_name(&[&global("sklearn.pipeline", "Pipeline")[..], b")\x81"].concat(), "_entropy"), "PKL101");
    // A method of a class where the list has its dotted name, which protocol 4 writes.
    let spline = global("scipy.interpolate._interpolate", "interp1d");
    sound(&by_name(&spline, "_call_linear_np"));
    check(&by_name(&spline, "__init__"), "PKL101");
    check(&stream(&[&getattr, &spline, &text("_call_linear_np"), b"\x86R)R"]), "PKL105");
    check(&by_name(&[&spline[..], b")\x81"].concat(), "_call_linear_np"), "PKL101");
    // Neither function may be kept for others to call, wherever.
    for kept in [&getattr, &global("zoneinfo", "ZoneInfo._unpickle")] {
        let report = judge("m.pkl", &stream(&[kept]));
        assert!(
            rules(&report).iter().any(|rule| ["PKL101", "PKL102"].contains(rule)),
            "{:?}",
            report.findings
        );
        for form in [&b"\x85"[..], b"0N", b"K\x01\x86", b"\x940(h\x00t"] {
            assert!(!passes(&judge("m.pkl", &stream(&[kept, form]))), "{form:?}");
        }
        let partial = global("functools", "partial");
        assert!(!passes(&judge("m.pkl", &stream(&[&partial, kept, b"\x85R"]))));
    }
    check(&stream(&[&global("zoneinfo", "ZoneInfo"), &text("Europe/Berlin"), b"\x85R"]), "PKL105");
    let file = |name: &[u8]| stream(&[&global("dateutil.tz.tz", "tzfile"), name, b"R}b"]);
    sound(&file(&[b"N", &text("/usr/share/zoneinfo/Europe/Berlin")[..], b"\x86"].concat()));
    check(&file(&[&text("/etc/passwd")[..], b"\x85"].concat()), "PKL106");
    check(&file(&[&text("/etc/passwd")[..], &text("x"), b"\x86"].concat()), "PKL106");
    check(&stream(&[&global("dateutil.tz.tz", "tzfile"), b")\x81"]), "PKL106");
    sound(&stream(&[&global("pytz", "FixedOffset"), b"K\x5a\x85R"]));
}

#[test]
fn distributions_execute_scipys_own_text_and_no_other() {
    let template = "\ndef _parse_args(self,  loc=0):\n    return (), loc, 1\n\n\
        def _parse_args_rvs(self,  loc=0, size=None):\n    return self._argcheck_rvs( loc, 1, size=size)\n\n\
        def _parse_args_stats(self,  loc=0, moments='mv'):\n    return (), loc, 1, moments\n";
    let long = template.replace("loc=0", "loc=0, scale=1").replace("loc, 1", "loc, scale");
    let unicode =
        |text: &str| [b"X", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat();
    let class = global("scipy.stats._continuous_distns", "norm_gen");
    let state = |items: &[&[u8]]| stream(&[&class, b")\x81}(", &items.concat(), b"ub"]);
    let key = text("_parse_arg_template");
    assert!(template.len() < 256 && long.len() > 256);
    for source in [template, &long] {
        sound(&state(&[&key, &unicode(source), &text("numargs"), b"K\x00"]));
        for hostile in [
            source.replacen("loc=0", "loc=__import__('os').system('id')", 1),
            format!("{source}import os\n"),
            source.replace("self.", "eval."),
        ] {
            check(&state(&[&key, &unicode(&hostile)]), "PKL107");
        }
    }
    let good = [&key[..], &unicode(&long)].concat();
    // Two texts under one name, another kind of text, and methods that would be called in scipy's place.
    check(&state(&[&good, &key, &unicode("import os")]), "PKL107");
    check(&state(&[&key, &text("import os")]), "PKL107");
    check(&state(&[]), "PKL107");
    check(&state(&[&good, &text("_attach_methods"), &global("builtins", "len")]), "PKL107");
    check(&state(&[&good, &text("_ppf_single"), b"N"]), "PKL107");
    check(&state(&[&good, b"K\x01N"]), "PKL107");
    check(&stream(&[&class, b")\x81}N\x86b"]), "PKL107");
    check(&stream(&[&class, b")R"]), "PKL106");
    let report = judge("m.pkl", &stream(&[&class]));
    assert!(!passes(&report));
    // The method that a discrete distribution keeps, and the only thing that numpy's wrapper may be around.
    let owner = [&global("scipy.stats._discrete_distns", "randint_gen")[..], b")\x81\x94"].concat();
    let wrapper = global("numpy", "vectorize");
    let around = |value: &[u8]| [&wrapper[..], b")\x81}", &text("pyfunc"), value, b"sb"].concat();
    let method = [&global("builtins", "getattr")[..], b"h\0", &text("_entropy"), b"\x86R"].concat();
    let kept =
        |value: &[u8]| stream(&[&owner, b"}(", &key, &unicode(template), &text("vecentropy"), value, b"ub"]);
    sound(&kept(&around(&method)));
    check(&kept(&around(&global("builtins", "len"))), "PKL107");
    check(&kept(&[&wrapper[..], b")\x81"].concat()), "PKL102");
    check(&kept(&[&method[..], b")R"].concat()), "PKL104");
}
