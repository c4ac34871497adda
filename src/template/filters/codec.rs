//! Text in other encodings, by Python's names for them.

use playbook_api::Error;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    Utf8,
    Ascii,
    Latin1,
    /// With a byte order mark.
    Utf16,
    Utf16Le,
    Utf16Be,
    /// One that the Web knows too (`windows-1252`, `shift_jis`).
    Other(&'static encoding_rs::Encoding),
}

impl Codec {
    pub(crate) fn find(name: &str) -> Result<Codec, Error> {
        Ok(match name.to_lowercase().replace(['_', ' '], "-").as_str() {
            "utf-8" | "utf8" | "u8" | "utf-8-sig" => Codec::Utf8,
            "ascii" | "us-ascii" => Codec::Ascii,
            "latin-1" | "latin1" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => Codec::Latin1,
            "utf-16" | "utf16" | "u16" => Codec::Utf16,
            "utf-16-le" | "utf-16le" => Codec::Utf16Le,
            "utf-16-be" | "utf-16be" => Codec::Utf16Be,
            label => match encoding_rs::Encoding::for_label(label.as_bytes()) {
                Some(encoding) => Codec::Other(encoding),
                None => return Err(Error::new(format!("unknown encoding: {name}"))),
            },
        })
    }

    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, Error> {
        let narrow = |most: u32, name: &str| {
            let byte = |c: char| {
                u8::try_from(c as u32).ok().filter(|_| c as u32 <= most).ok_or_else(|| {
                    Error::new(format!("'{name}' codec can't encode character '{}'", c.escape_unicode()))
                })
            };
            text.chars().map(byte).collect::<Result<Vec<u8>, Error>>()
        };
        let little = || text.encode_utf16().flat_map(u16::to_le_bytes);
        match self {
            Codec::Utf8 => Ok(text.as_bytes().to_vec()),
            Codec::Ascii => narrow(0x7f, "ascii"),
            Codec::Latin1 => narrow(0xff, "latin-1"),
            Codec::Utf16 => Ok([0xff, 0xfe].into_iter().chain(little()).collect()),
            Codec::Utf16Le => Ok(little().collect()),
            Codec::Other(encoding) => match encoding.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                _ => Err(Error::new(format!("'{}' codec can't encode the text", encoding.name()))),
            },
            Codec::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        }
    }

    /// Bytes that mean nothing in the encoding become replacement characters.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        };
        match self {
            Codec::Utf8 | Codec::Ascii => String::from_utf8_lossy(bytes).into_owned(),
            Codec::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
            Codec::Other(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Codec::Utf16Le => wide(bytes, u16::from_le_bytes),
            Codec::Utf16Be => wide(bytes, u16::from_be_bytes),
            Codec::Utf16 => match bytes {
                [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
                [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
                bytes => wide(bytes, u16::from_le_bytes),
            },
        }
    }
}
