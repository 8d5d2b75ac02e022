//! Quantities on the command line: rates, shares and factors, each with its unit.

/// `100/s`, `6000/m` or `90/h`, in events per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let wrong =
        || format!("{text:?} is no rate; write requests per second, minute or hour: 100/s, 6000/m, 90/h");
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number = number.trim().parse::<f64>().map_err(|_no_number| wrong())?;
    if number.is_finite() && number > 0.0 { Ok(number / seconds) } else { Err(wrong()) }
}

/// `1%` or `0.01`, from 0 to below 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no share; write a number from 0 to 1 or a percentage: 0.01 or 1%");
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map_err(|_no_number| wrong())? / whole;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

/// `1%`, above 0 and at most 100%.
pub(super) fn part(text: &str) -> Result<f64, String> {
    if matches!(text, "1" | "100%") {
        return Ok(1.0);
    }
    let part = share(text)?;
    if part > 0.0 { Ok(part) } else { Err(format!("{text:?} is nothing; write a share above 0, e.g. 5%")) }
}

/// `2x` or `2`, above 1.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no factor above 1; write how many times as many, e.g. 2x");
    let factor =
        text.strip_suffix('x').unwrap_or(text).trim().parse::<f64>().map_err(|_no_number| wrong())?;
    if factor.is_finite() && factor > 1.0 { Ok(factor) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_their_units() {
        assert_eq!(rate("100/s"), Ok(100.0));
        assert_eq!(rate("90 / m"), Ok(1.5));
        assert_eq!(rate("3600/h"), Ok(1.0));
        assert_eq!((share("1%"), share("0.5"), share("0")), (Ok(0.01), Ok(0.5), Ok(0.0)));
        assert_eq!((part("100%"), part("5%")), (Ok(1.0), Ok(0.05)));
        assert_eq!((factor("2x"), factor("1.5")), (Ok(2.0), Ok(1.5)));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_an_example() {
        for (refused, example) in [
            (rate("100"), "100/s"),
            (rate("0/s"), "100/s"),
            (rate("inf/s"), "100/s"),
            (rate("5/d"), "100/s"),
            (share("2"), "1%"),
            (share("-1%"), "1%"),
            (share("few"), "1%"),
            (part("0"), "5%"),
            (factor("1x"), "2x"),
            (factor("NaN"), "2x"),
        ] {
            assert!(refused.unwrap_err().contains(example));
        }
    }
}
