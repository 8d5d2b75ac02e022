//! One header block, and what extended headers say instead of it.

/// What a header block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) mode: u64,
    /// Bytes that follow.
    pub(super) size: u64,
    pub(super) kind: u8,
    pub(super) link: String,
    /// Its name to readers that put the prefix in front, whichever version of the format it is.
    pub(super) other_name: Option<String>,
}

/// What extended headers say of the next member.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) name: Option<String>,
    pub(super) link: Option<String>,
    pub(super) size: Option<u64>,
    /// It is stored without its holes.
    pub(super) is_sparse: bool,
}

impl Header {
    /// Reads a block of 512 bytes; what is wrong with it as a fragment of a sentence.
    pub(super) fn read(block: &[u8]) -> Result<Self, &'static str> {
        let told = number(&block[148..156]).ok_or("has no checksum")?;
        let sum = |byte: fn(u8) -> i64| -> i64 {
            let all = block.iter().enumerate();
            all.map(|(at, value)| if (148..156).contains(&at) { 32 } else { byte(*value) }).sum()
        };
        // Old writers summed signed bytes.
        let sums = [sum(i64::from), sum(|value| i64::from(value.cast_signed()))];
        if !sums.contains(&i64::try_from(told).unwrap_or(-1)) {
            return Err("has a wrong checksum");
        }
        let mut name = text(&block[..100]);
        let prefix = text(&block[345..500]);
        let mut other_name = None;
        if !prefix.is_empty() {
            let joined = format!("{prefix}/{name}");
            if block[257..263] == *b"ustar\0" {
                name = joined;
            } else if prefix.bytes().any(|byte| !byte.is_ascii_digit() && byte != b' ') {
                // GNU's incremental archives have times here.
                other_name = Some(joined);
            }
        }
        Ok(Self {
            name,
            mode: number(&block[100..108]).unwrap_or(0),
            size: number(&block[124..136]).ok_or("has no readable size")?,
            kind: block[156],
            link: text(&block[157..257]),
            other_name,
        })
    }
}

impl Override {
    /// Takes over the records of a pax header; whether they could be read.
    pub(super) fn pax(&mut self, mut records: &[u8]) -> bool {
        while !records.is_empty() {
            let Some(space) = records.iter().position(|byte| *byte == b' ') else { return false };
            let length =
                std::str::from_utf8(&records[..space]).ok().and_then(|text| text.parse::<usize>().ok());
            let Some(record) = length.and_then(|length| records.get(space + 1..length)) else { return false };
            let Some(record) = record.strip_suffix(b"\n") else { return false };
            let Ok(record) = std::str::from_utf8(record) else { return false };
            let Some((key, value)) = record.split_once('=') else { return false };
            match key {
                "path" => self.name = Some(value.to_owned()),
                "linkpath" => self.link = Some(value.to_owned()),
                "size" => match value.parse() {
                    Ok(size) => self.size = Some(size),
                    Err(_) => return false,
                },
                key if key.starts_with("GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
            records = &records[length.unwrap_or(records.len()).min(records.len())..];
        }
        true
    }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// Octal digits, or GNU's big-endian number behind a set highest bit. An empty field is zero.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let high = u64::from(field[0] & 0x7f);
        return field[1..]
            .iter()
            .try_fold(high, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits: Vec<u8> = field
        .iter()
        .copied()
        .skip_while(|byte| *byte == b' ')
        .take_while(|byte| !matches!(byte, 0 | b' '))
        .collect();
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        number.checked_mul(8)?.checked_add(u64::from(digit))
    })
}
